import ICE
import SansIO
import Testing
import Wire

@Suite("Peers of a lite agent")
struct PeerTests {
    private func path(_ port: UInt16, local: UInt32 = 0x0A00_0001) -> ICEPath {
        ICEPath(remote: TransportAddress(.v4(0xC0A8_0105), port: port), local: .v4(local))
    }

    private func time(_ seconds: Double) -> Timestamp { Timestamp(nanoseconds: UInt64((seconds * 1e9).rounded())) }

    @Test("Nothing is selected before a nomination; then the nominated path is")
    func nomination() {
        var peer = ICEPeer(at: time(0))
        #expect(peer.check(on: path(1), priority: 9, isNominating: false, at: time(0)).change == .none)
        #expect(peer.selected == nil)
        #expect(peer.isValid(path(1)))
        #expect(!peer.isValid(path(2)))
        #expect(peer.check(on: path(1), priority: 9, isNominating: true, at: time(0.1)).change == .selected)
        #expect(peer.selected == path(1))
    }

    @Test("A nomination of another path moves the peer, as when a phone changes its address")
    func moves() {
        var peer = ICEPeer(at: time(0))
        _ = peer.check(on: path(1), priority: 9, isNominating: true, at: time(0))
        #expect(peer.check(on: path(2), priority: 9, isNominating: true, at: time(5)).change == .moved)
        #expect(peer.selected == path(2))
        // The same remote address by another address of ours is another path.
        #expect(peer.check(on: path(2, local: 7), priority: 9, isNominating: true, at: time(5.1)).change == .moved)
        #expect(peer.selected?.local == .v4(7))
    }

    @Test("Of pairs nominated together, as agents of RFC 5245 do, the highest priority wins, in either order")
    func aggressive() {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] as [[UInt16]] {
            var peer = ICEPeer(at: time(0))
            for (index, port) in order.enumerated() {
                _ = peer.check(
                    on: path(port), priority: UInt32(port), isNominating: true, at: time(0.05 * Double(index)))
            }
            #expect(peer.selected == path(3), "\(order)")
        }
    }

    @Test("A nomination of lower priority counts once the other has not been renewed for a second")
    func lowerPriority() {
        var peer = ICEPeer(at: time(0))
        _ = peer.check(on: path(1), priority: 9, isNominating: true, at: time(0))
        _ = peer.check(on: path(1), priority: 9, isNominating: true, at: time(2.5))
        #expect(peer.check(on: path(2), priority: 1, isNominating: true, at: time(3)).change == .none)
        #expect(peer.check(on: path(2), priority: 1, isNominating: true, at: time(3.6)).change == .moved)
    }

    @Test("Proven packets on a path nominated before move the peer; on any other they do not")
    func dataMoves() {
        var peer = ICEPeer(at: time(0))
        _ = peer.check(on: path(1), priority: 9, isNominating: true, at: time(0))
        _ = peer.check(on: path(2), priority: 1, isNominating: true, at: time(0.1))
        _ = peer.check(on: path(3), priority: 1, isNominating: false, at: time(0.1))
        #expect(peer.receive(on: path(1), at: time(0.2)) == .none)
        #expect(peer.receive(on: path(3), at: time(0.2)) == .none)
        #expect(peer.receive(on: path(4), at: time(0.2)) == .none)
        #expect(peer.selected == path(1))
        #expect(peer.receive(on: path(2), at: time(0.3)) == .moved)
        #expect(peer.selected == path(2))
    }

    @Test("Paths are bounded: the one checked longest ago goes, never the selected one")
    func pathLimit() {
        var peer = ICEPeer(at: time(0))
        _ = peer.check(on: path(1), priority: 9, isNominating: true, at: time(0))
        for port in 2...UInt16(ICEPeer.pathLimit) {
            #expect(peer.check(on: path(port), priority: 1, isNominating: false, at: time(1)).forgotten == nil)
        }
        _ = peer.check(on: path(2), priority: 1, isNominating: false, at: time(2))
        let result = peer.check(on: path(100), priority: 1, isNominating: false, at: time(3))
        #expect(result.forgotten == path(3).remote)
        #expect(peer.isValid(path(1)))
        #expect(peer.isValid(path(2)))
        #expect(!peer.isValid(path(3)))
        #expect(peer.remoteAddresses.count == ICEPeer.pathLimit)
    }

    @Test("Silence: probes from three seconds on, gone after eight, unless something is heard")
    func consent() {
        var peer = ICEPeer(at: time(0))
        #expect(peer.consent(at: time(2.9)) == .fresh(until: time(3)))
        #expect(peer.consent(at: time(3)) == .probe(until: time(4)))
        #expect(peer.consent(at: time(3.5)) == .fresh(until: time(4)))
        #expect(peer.consent(at: time(4)) == .probe(until: time(5)))
        #expect(peer.receive(on: path(1), at: time(4.2)) == .none)
        #expect(peer.consent(at: time(5)) == .fresh(until: time(7.2)))
        #expect(peer.consent(at: time(7.2)) == .probe(until: time(8.2)))
        _ = peer.check(on: path(1), priority: 1, isNominating: false, at: time(8))
        var probes = 0
        var now = time(8)
        while true {
            now = peer.consentDeadline
            let consent = peer.consent(at: now)
            if consent == .expired { break }
            if case .probe = consent { probes += 1 }
        }
        #expect(now == time(16))
        #expect(probes == 5)
    }
}
