import ICE
import STUN
import SansIO
import Wire

extension FuzzTarget {
    /// Checks, sealed and not, and the paths and the consent of a peer that sends them.
    static let ice = FuzzTarget("ice", longest: 512) { input in
        var script = FuzzScript(input)
        try judge(input)
        var now = Timestamp.zero + .seconds(100)
        var peer = ICEPeer(at: now)
        while !script.isAtEnd {
            feed()
            let path = ICEPath(
                remote: TransportAddress(.v4(UInt32(script.byte())), port: UInt16(script.byte())),
                local: .v4(UInt32(script.byte() & 1)))
            switch script.number(below: 6) {
            case 0: try judge(check(from: &script))
            case 1, 2:
                let isNominating = script.byte() & 1 == 0
                let (change, _) = peer.check(
                    on: path, priority: script.uint32(), isNominating: isNominating, at: now)
                try always(peer.isValid(path), "a path that was just checked is not valid")
                try always(change == .none || peer.selected == path, "another path was selected")
            case 3:
                let before = peer.selected
                if peer.receive(on: path, at: now) == .none {
                    try always(peer.selected == before, "the path changed and nobody is told")
                }
            case 4: now = now + .milliseconds(Int(script.uint16()))
            default:
                switch peer.consent(at: now) {
                case .fresh(let until), .probe(let until):
                    try always(until > now, "consent is to be looked at again at once")
                    try always(until <= now + ICEPeer.expiry, "nobody looks whether the peer is gone")
                case .expired: return
                }
            }
            try always(peer.remoteAddresses.count <= ICEPeer.pathLimit, "more paths than the limit")
        }
    }

    private static let key = STUNKey(shortTerm: "a password of the fuzzer")

    private static func judge(_ bytes: [UInt8]) throws {
        let check: ICECheck
        do { check = try ICECheck(bytes.span.bytes) } catch { return }
        let address = TransportAddress(.v4(0x0A00_0002), port: 5000)
        guard let refusal = check.refusal(key: key) else {
            try always(check.hasCredentials && check.message.isIntact(key: key), "a check that is not proven is taken")
            return
        }
        try always(refusal.rawValue >= 300, "a refusal without a reason")
        _ = address
    }

    /// A check with whatever attributes, sealed.
    private static func check(from script: inout FuzzScript) -> [UInt8] {
        var writer = STUNWriter(.request, .binding, TransactionID(high: 1, low: 2))
        let form = script.byte()
        if form & 1 == 0 { writer.append(.username, text: "fuzz:\(form)") }
        if form & 2 == 0 { writer.append(.priority, uint32: 1) }
        if form & 4 == 0 { writer.append(.iceControlling, uint64: 1) }
        if form & 8 != 0 { writer.append(.useCandidate) }
        for _ in 0..<script.number(below: 4) {
            writer.append(STUNAttributeType(rawValue: script.uint16()), bytes: script.run())
        }
        if form & 16 == 0 { writer.appendIntegrity(key: key) }
        if form & 32 == 0 { writer.appendFingerprint() }
        return writer.finish().bytes
    }
}
