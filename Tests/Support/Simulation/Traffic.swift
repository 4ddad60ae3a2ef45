import DataChannel
import SCTP

/// The messages of one direction of one channel: each says its number, and what it must be like follows from that.
struct Traffic {
    /// Distinguishes channels and directions.
    let salt: UInt64
    let sizes: [Int]
    var sent = 0

    /// The octets a message has at least: its number. Shorter ones are empty messages, which have none.
    private static let header = 4

    func message(_ number: Int) -> [UInt8] {
        let size = sizes[number]
        guard size >= Self.header else { return [] }
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: salt &+ UInt64(number)), count: size)
        for index in 0..<Self.header { bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        // A mark now and then, so that pieces put together wrongly show.
        for index in stride(from: 64, to: size, by: 509) {
            bytes[index] = UInt8(truncatingIfNeeded: index / 509 &+ number)
        }
        return bytes
    }

    /// The number a message says it has; nil for an empty one.
    static func number(of bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= header else { return nil }
        return bytes.prefix(header).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

/// What one direction of a channel has received, and whether that is right.
struct Receipt {
    let traffic: Traffic
    let parameters: DataChannelParameters
    /// The last number received, in order.
    private var last = -1
    /// Numbers received.
    private(set) var numbers: Set<Int> = []
    private var empties = 0

    init(_ traffic: Traffic, _ parameters: DataChannelParameters) {
        self.traffic = traffic
        self.parameters = parameters
    }

    /// Takes in a message.
    /// - Returns: what is wrong about it.
    mutating func receive(_ bytes: ArraySlice<UInt8>) -> String? {
        guard let number = Traffic.number(of: bytes) else {
            guard bytes.isEmpty else { return "a message of \(bytes.count) octets that was never sent" }
            empties += 1
            let sent = traffic.sizes.count { $0 < 4 }
            return empties > sent ? "\(empties) empty messages, \(sent) were sent" : nil
        }
        guard number < traffic.sizes.count, Array(bytes) == traffic.message(number) else {
            return "message \(number) is not as it was sent"
        }
        guard numbers.insert(number).inserted else { return "message \(number) came twice" }
        if parameters.isOrdered {
            guard number > last else { return "message \(number) came after \(last)" }
            last = number
        }
        return nil
    }

    /// Messages that must have come and did not, of `sent` ones.
    func missing(of sent: Int) -> Int {
        guard parameters.reliability == .reliable else { return 0 }
        return sent - numbers.count - empties
    }
}
