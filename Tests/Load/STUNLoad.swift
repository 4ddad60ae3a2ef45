import ArgumentParser
import CLinux
import Glibc

/// Keeps a number of STUN Binding requests under way on one socket, by bare system calls, so that the server is what
/// limits the rate.
struct STUNLoad {
    let target: Target
    let window: Int

    /// Datagrams may be lost; requests unanswered for so long are sent anew.
    private static let patience = timeval(tv_sec: 0, tv_usec: 100_000)

    func run() throws {
        let descriptor = try connect()
        defer { close(descriptor) }

        var requests = (0..<window).map(Self.request(slot:))
        // When the request of each slot was sent; nil while none is under way.
        var sentAt = [UInt64?](repeating: nil, count: window)
        var answer = [UInt8](repeating: 0, count: 128)
        var latencies = Latencies()
        var lost = 0

        func send(_ slot: Int) throws {
            sentAt[slot] = nanoseconds()
            guard Glibc.send(descriptor, &requests[slot], requests[slot].count, 0) == requests[slot].count else {
                throw Failure("sending to the server: \(String(cString: strerror(errno)))")
            }
        }

        report("start")
        let start = nanoseconds()
        let end = start + UInt64(target.seconds * 1e9)
        for slot in 0..<window { try send(slot) }
        var now = start
        while now < end {
            let size = recv(descriptor, &answer, answer.count, 0)
            now = nanoseconds()
            guard size >= 0 else {
                guard errno == EAGAIN || errno == EINTR else {
                    throw Failure("nothing answers on port \(target.port): \(String(cString: strerror(errno)))")
                }
                for slot in 0..<window where sentAt[slot] != nil {
                    lost += 1
                    try send(slot)
                }
                continue
            }
            guard let slot = Self.slot(ofAnswer: answer.prefix(size)), slot < window else {
                throw Failure("an answer is not a Binding success response")
            }
            // A second answer to the same request would otherwise widen the window.
            guard let sent = sentAt[slot] else { continue }
            latencies.add(nanoseconds: now - sent)
            try send(slot)
        }
        let seconds = Double(nanoseconds() - start) / 1e9
        report(
            "done",
            [
                "answers": Double(latencies.count), "seconds": seconds, "lost": Double(lost),
                "p50_us": latencies.percentile(0.5), "p99_us": latencies.percentile(0.99),
            ])
    }

    private func connect() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket: \(String(cString: strerror(errno)))") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(target.port).bigEndian)
        guard inet_pton(AF_INET, target.host, &address.sin_addr) == 1 else {
            throw Failure("\(target.host) is not an IPv4 address")
        }
        var patience = Self.patience
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure("connect: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    /// A Binding request without attributes (RFC 8489 section 5), whose transaction id carries `slot`.
    private static func request(slot: Int) -> [UInt8] {
        [0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xA4, 0x42] + [UInt8](repeating: 0x4C, count: 10)
            + [UInt8(slot >> 8), UInt8(slot & 0xFF)]
    }

    /// The `slot` of a Binding success response with an address; nil for anything else.
    private static func slot(ofAnswer bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 32, bytes[0] == 0x01, bytes[1] == 0x01 else { return nil }
        return Int(bytes[18]) << 8 | Int(bytes[19])
    }
}

/// What stopped the load, for the person.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
