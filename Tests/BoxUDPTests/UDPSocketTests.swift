import BoxUDP
import Foundation
import Testing
import Wire

@Suite struct UDPSocketTests {
    private static let loopback = IPAddress.v4(0x7F00_0001)

    /// Reads one datagram, with a bound on the wait.
    private func receive(_ socket: UDPSocket) throws -> (bytes: [UInt8], port: UInt16, source: UInt32)? {
        let descriptor = try socket.duplicate()
        defer { close(descriptor) }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Foundation.poll(&poll, 1, 2000) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 2048)
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, 0, $0, &length)
            }
        }
        guard count >= 0 else { return nil }
        return (Array(bytes[..<count]), UInt16(bigEndian: name.sin_port), UInt32(bigEndian: name.sin_addr.s_addr))
    }

    @Test func manyDatagramsAreSentInOrderAndFromTheirSource() throws {
        let receiver = try UDPSocket(binding: TransportAddress(Self.loopback, port: 0), wantsDestinations: false)
        let sender = try UDPSocket(binding: TransportAddress(.v4(0), port: 0), wantsDestinations: true)
        // More than one system call's worth, each of its own length.
        let bytes = (0..<4000).map { UInt8(truncatingIfNeeded: $0) }
        let ranges = (0..<200).map { $0 * 3..<$0 * 3 + $0 }
        // 127.0.0.2 is this machine's too; nobody would choose it but us.
        let counts = bytes.withUnsafeBytes { bytes in
            sender.send(bytes, count: ranges.count) {
                UDPDatagram(to: receiver.address, from: .v4(0x7F00_0002), range: ranges[$0])
            }
        }
        #expect(counts.sent == 200 && counts.full == 0 && counts.refused == 0)
        for range in ranges {
            let datagram = try #require(try receive(receiver))
            #expect(datagram.bytes == Array(bytes[range]))
            #expect(datagram.port == sender.address.port)
            #expect(datagram.source == 0x7F00_0002)
        }
    }

    @Test func oneThatIsRefusedDoesNotHoldUpTheOthers() throws {
        let receiver = try UDPSocket(binding: TransportAddress(Self.loopback, port: 0), wantsDestinations: false)
        let sender = try UDPSocket(binding: TransportAddress(.v4(0), port: 0), wantsDestinations: false)
        let bytes: [UInt8] = [1, 2, 3]
        let counts = bytes.withUnsafeBytes { bytes in
            sender.send(bytes, count: 3) { index in
                // Nobody may send from an address that is not the machine's, nor to port 0.
                UDPDatagram(
                    to: TransportAddress(Self.loopback, port: index == 1 ? 0 : receiver.address.port), from: nil,
                    range: index..<index + 1)
            }
        }
        #expect(counts.sent == 2 && counts.refused == 1)
        #expect(try receive(receiver)?.bytes == [1])
        #expect(try receive(receiver)?.bytes == [3])
    }

    @Test func aPortIsHeldByOne() throws {
        let first = try UDPSocket(binding: TransportAddress(Self.loopback, port: 0), wantsDestinations: false)
        #expect(throws: SocketError.self) {
            try UDPSocket(binding: first.address, wantsDestinations: false)
        }
    }
}
