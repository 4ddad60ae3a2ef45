import DTLS
import DataChannel
import SansIO
import Testing
import WebRTCDirect
import Wire

@testable import SCTP

/// A phone whose SCTP never announces the reset of streams (RFC 6525 section 5.1.1). Closing its channel said nothing to it: it
/// kept the connection, and what it sent went nowhere.
@Suite(.serialized) struct ResetlessTests {
    /// The phone: ICE, DTLS and SCTP by hand, so that its INIT can be changed.
    private final class Phone {
        let rig: Rig
        let address: TransportAddress
        var session: DTLSSession
        var association: SCTPAssociation
        var sessionEvents: [DTLSEvent] = []
        var events: [SCTPEvent] = []
        var texts: [String] = []
        private var wake: Timestamp?

        init(_ rig: Rig) throws {
            self.rig = rig
            address = rig.address(7)
            session = DTLSSession(context: rig.clientContext)
            association = SCTPAssociation(configuration: .ofEndpoint, generator: SharedGenerator())
            rig.give(rig.check("boxfrag1:resetless", isNominating: true), from: address)
            dtls(.start)
            settle()
            let isSecure = session.isConnected
            try #require(isSecure)
            sctp(.connect)
            settle()
            let isEstablished = association.isEstablished
            try #require(isEstablished)
        }

        /// What the box sent comes, and what is sent because of it, until nobody has anything to say.
        func settle() {
            while !rig.stray.isEmpty {
                let (to, bytes) = rig.stray.removeFirst()
                if to == address, (20...63).contains(bytes[0]) { dtls(.datagram(bytes.span.bytes)) }
            }
        }

        func pass(_ duration: Duration) {
            for _ in 0..<Int(duration / .milliseconds(50)) {
                rig.give(rig.check("boxfrag1:resetless"), from: address)
                rig.run(for: .milliseconds(50))
                if let wake, wake <= rig.now { sctp(.wake) }
                settle()
            }
        }

        func open(_ stream: UInt16) {
            var bytes: [UInt8] = []
            DCEPMessage.open(DataChannelParameters(label: "hub")).write(to: &bytes)
            sctp(
                .send(
                    bytes.span.bytes, stream: stream, ppid: DCEPMessage.ppid, isUnordered: false, reliability: .reliable
                ))
            settle()
        }

        private func dtls(_ input: borrowing DTLSInput) {
            var output = DTLSOutput()
            _ = session.handle(input, at: rig.now, into: &output)
            sessionEvents += output.events
            for range in output.datagrams { rig.give(Array(output.written[range]), from: address) }
            for range in output.records {
                let packet = Array(output.applicationData[range])
                sctp(.packet(packet.span.bytes))
            }
        }

        func sctp(_ input: SCTPInput) {
            var output = SCTPOutput()
            wake = association.handle(input, at: rig.now, into: &output)
            events += output.events
            for event in output.events {
                if case .message(_, 51, let range, _) = event {
                    texts.append(String(decoding: output.messageBytes[range], as: UTF8.self))
                }
            }
            for range in output.packets {
                let packet = withoutReset(Array(output.written[range]))
                dtls(.send(packet.span.bytes))
            }
        }

        /// An INIT whose list of supported extensions (RFC 5061 section 4.2.7) does not name RE-CONFIG.
        private func withoutReset(_ packet: [UInt8]) -> [UInt8] {
            guard packet.count > 32, packet[12] == 1 else { return packet }
            var changed = packet
            var offset = 32
            while offset + 4 <= changed.count {
                let length = Int(changed[offset + 2]) << 8 | Int(changed[offset + 3])
                if changed[offset] == 0x80, changed[offset + 1] == 0x08 {
                    for place in offset + 4..<offset + length where changed[place] == 130 { changed[place] = 0xC1 }
                }
                offset += max(4, length + (-length & 3))
            }
            for place in 8..<12 { changed[place] = 0 }
            let crc = changed.withUnsafeBytes { CRC32c.checksum(ofPacket: $0) }
            withUnsafeBytes(of: crc.littleEndian) { for place in 0..<4 { changed[8 + place] = $0[place] } }
            return changed
        }
    }

    @Test("Its only channel closed ends the connection, behind what was sent before")
    func onlyChannel() throws {
        let rig = try Rig()
        let phone = try Phone(rig)
        phone.open(0)
        let id = try #require(rig.connected.last)
        rig.send("the last words", to: id, channel: 0)
        rig.give(.closeChannel(id, channel: 0))
        phone.settle()
        phone.pass(.seconds(2))
        #expect(phone.texts == ["the last words"])
        #expect(phone.events.contains(.closed(.shutdown)))
        #expect(phone.sessionEvents.last == .closed)
        #expect(rig.events.last == .disconnected(id, .closed))
        #expect(rig.endpoint.connectionCount == 0)
    }

    @Test("One of two is dead on the box's side, and the other goes on until it is closed, too")
    func oneOfTwo() throws {
        let rig = try Rig()
        let phone = try Phone(rig)
        phone.open(0)
        phone.open(2)
        let id = try #require(rig.connected.last)
        rig.give(.closeChannel(id, channel: 0))
        phone.settle()
        phone.pass(.seconds(2))
        #expect(rig.endpoint.connectionCount == 1)
        rig.send("still here", to: id, channel: 2)
        phone.settle()
        #expect(phone.texts == ["still here"])
        let word = Array("to nobody".utf8)
        phone.sctp(.send(word.span.bytes, stream: 0, ppid: 51, isUnordered: false, reliability: .reliable))
        phone.sctp(.send(word.span.bytes, stream: 2, ppid: 51, isUnordered: false, reliability: .reliable))
        phone.settle()
        #expect(rig.messages == ["to nobody"])
        rig.give(.closeChannel(id, channel: 2))
        phone.settle()
        phone.pass(.seconds(2))
        #expect(rig.events.last == .disconnected(id, .closed))
    }
}
