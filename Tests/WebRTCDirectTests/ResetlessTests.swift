import DTLS
import SansIO
import Testing
import WebRTCDirect

@testable import SCTP

/// A phone whose SCTP never announces the reset of streams (RFC 6525 section 5.1.1). Closing its channel said nothing to it: it
/// kept the connection, and what it sent went nowhere.
@Suite(.serialized) struct ResetlessTests {
    private func phone(_ rig: Rig) throws -> RawPhone {
        let phone = try RawPhone(rig, username: "boxfrag1:resetless", change: Self.withoutReset)
        let isEstablished = phone.association.isEstablished
        try #require(isEstablished)
        return phone
    }

    /// An INIT whose list of supported extensions (RFC 5061 section 4.2.7) does not name RE-CONFIG.
    private static func withoutReset(_ packet: [UInt8]) -> [UInt8] {
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
        return changed
    }

    @Test("Its only channel closed ends the connection, behind what was sent before")
    func onlyChannel() throws {
        let rig = try Rig()
        let phone = try self.phone(rig)
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
        let phone = try self.phone(rig)
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
