import TestSupport

/// Reads an input as a script: what happens to a core, step by step. Every input is a script; one that ends early gives
/// zeros.
struct FuzzScript {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether there is nothing left to read.
    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func uint16() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

    mutating func uint32() -> UInt32 { UInt32(uint16()) << 16 | UInt32(uint16()) }

    /// A number below `bound`.
    mutating func number(below bound: Int) -> Int { Int(byte()) % bound }

    /// One of several things.
    mutating func element<Element>(of choices: [Element]) -> Element { choices[number(below: choices.count)] }

    /// A run of at most 255 bytes, its length in front of it.
    mutating func run() -> [UInt8] { take(Int(byte())) }

    /// A run of at most 65,535 bytes, its length in front of it.
    mutating func longRun() -> [UInt8] { take(Int(uint16())) }

    /// All that is left.
    mutating func rest() -> [UInt8] { take(bytes.count - position) }

    /// Up to 32 times `bytes`, in each something else changed; two bytes of the script say what. A state that took a core long to
    /// get to is worth many datagrams.
    mutating func variants(of bytes: [UInt8]) -> [[UInt8]] {
        let seed = uint16()
        var generator = SeededGenerator(seed: UInt64(seed))
        return (0...Int(seed >> 11)).map { _ in
            let number = generator.next()
            var bytes = bytes
            for _ in 0...number & 3 where !bytes.isEmpty {
                let place = Int(generator.next() >> 1) % bytes.count
                switch generator.next() & 3 {
                case 0: bytes[place] ^= 1 << UInt8(generator.next() & 7)
                case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][Int(generator.next() % 6)]
                default: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                }
            }
            switch number >> 8 & 15 {
            case 0: bytes.removeLast(Int(generator.next() >> 1) % (bytes.count + 1))
            case 1: bytes.removeFirst(Int(generator.next() & 3) % (bytes.count + 1))
            case 2: bytes += bytes.suffix(Int(generator.next() & 31))
            default: break
            }
            return bytes
        }
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[position..<end])
    }
}
