import DTLS
import DataChannel
import ICE
import STUN
import SansIO
import Wire

/// Who a check is for: one of the endpoint's names, with what belongs to it.
struct Name {
    let kind: EndpointIdentityKind
    let context: DTLSContext
    let key: STUNKey
}

// MARK: Checks (RFC 8445 section 7.3)

extension WebRTCEndpoint {
    mutating func receiveCheck(
        _ bytes: RawSpan, _ path: ICEPath, at now: Timestamp, into output: inout EndpointOutput
    ) {
        let check: ICECheck
        do throws(ICECheckError) {
            check = try ICECheck(bytes)
        } catch {
            switch error {
            case .malformed: return counters.refuse(.malformed)
            case .unexpected: return counters.refuse(.unexpectedSTUN)
            case .keepalive: return
            }
        }
        guard check.hasCredentials else {
            return refuse(check, .badRequest, .badRequest, key: nil, path, at: now, into: &output)
        }
        // Most checks come from a peer at an address that is known to be its own. To find out whether one is forged costs as much
        // as for a record of DTLS, and who forges the address could as well forge those: they share an allowance.
        if let peer = owner(of: path.remote), peer.sends(check) {
            guard peer.datagramRate.allows(at: now) else { return counters.refuse(.datagramRate) }
            return receive(check, of: peer, path, at: now, into: &output)
        }
        guard let name = name(of: check) else {
            return refuse(check, .unauthenticated, .unknownName, key: nil, path, at: now, into: &output)
        }
        guard ledger.allowsCheck(from: path.remote.address, at: now) else { return counters.refuse(.checkRate) }
        let username = check.username
        if let peer = byUsername[username] { return receive(check, of: peer, path, at: now, into: &output) }
        if let code = check.refusal(key: name.key) {
            return refuse(check, code, key: name.key, path, at: now, into: &output)
        }
        guard let peer = addPeer(username, name, path, at: now, into: &output) else { return }
        accept(check, of: peer, path, at: now, into: &output)
    }

    /// A check that says it comes from a peer we know, which anybody may say who has heard its USERNAME: only what is proven
    /// counts as the peer's.
    private mutating func receive(
        _ check: borrowing ICECheck, of peer: Peer, _ path: ICEPath, at now: Timestamp,
        into output: inout EndpointOutput
    ) {
        if let code = check.refusal(key: peer.name.key) {
            return refuse(check, code, key: peer.name.key, path, at: now, into: &output)
        }
        guard peer.checkRate.allows(at: now) else { return counters.refuse(.checkRate) }
        accept(check, of: peer, path, at: now, into: &output)
    }

    /// A valid check.
    private mutating func accept(
        _ check: borrowing ICECheck, of peer: Peer, _ path: ICEPath, at now: Timestamp,
        into output: inout EndpointOutput
    ) {
        let (change, forgotten) = peer.ice.check(
            on: path, priority: check.priority, isNominating: check.isNominating, at: now)
        if let forgotten { release(forgotten, by: peer) }
        claim(path.remote, for: peer)
        if peer.isStale {
            // Its DTLS session was of an endpoint before this one, as after a restart. libwebrtc gives a connection up at an
            // error other than 401, 420, 487 and 5xx, and for Firefox 403 revokes consent (RFC 7675 section 5.1 lets
            // an agent stop answering; this is faster): both then see ICE fail and can begin anew.
            counters.refuse(.stale)
            peer.condemn(at: now)
            let buffer = output.transport.takeWriter()
            let start = buffer.count
            return output.send(
                ICEAnswer.refusal(of: check, .forbidden, key: peer.name.key, appendingTo: buffer), since: start,
                on: path)
        }
        counters.checks &+= 1
        let buffer = output.transport.takeWriter()
        let start = buffer.count
        output.send(
            ICEAnswer.success(to: check, from: path.remote, key: peer.name.key, appendingTo: buffer), since: start,
            on: path)
        note(change, of: peer, into: &output)
    }

    /// An address is a peer's from which it sends valid checks, unless another has a DTLS session there: a forged check must
    /// not take that away.
    private mutating func claim(_ address: TransportAddress, for peer: Peer) {
        guard let owner = byAddress[address], owner !== peer else {
            byAddress[address] = peer
            return
        }
        switch owner.stage {
        case .checked, .gone: byAddress[address] = peer
        case .handshaking, .connected: challengers[address] = peer
        }
    }

    private mutating func note(_ change: ICEPeer.Change, of peer: Peer, into output: inout EndpointOutput) {
        guard change == .moved, case .connected = peer.stage, let path = peer.path else { return }
        counters.moves &+= 1
        output.events.append(.moved(peer.id, path.remote))
    }

    /// The name a check is for.
    private func name(of check: borrowing ICECheck) -> Name? {
        for identity in configuration.acceptance.identities
        where check.localFragment.elementsEqual(identity.credentials.fragment.utf8) {
            guard ICECredentials.fragmentLengths.contains(check.remoteFragment.byteCount) else { return nil }
            return Name(kind: identity.kind, context: identity.context, key: identity.credentials.key)
        }
        guard let context = configuration.acceptance.direct, let kind = DirectName.kind(check) else { return nil }
        let password = check.localFragment.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        return Name(kind: kind, context: context, key: STUNKey(shortTerm: password))
    }

    /// Refuses a check, if that may be done.
    private mutating func refuse(
        _ check: borrowing ICECheck, _ code: STUNErrorCode, _ cause: EndpointRefusal, key: STUNKey?, _ path: ICEPath,
        at now: Timestamp, into output: inout EndpointOutput
    ) {
        counters.refuse(cause)
        guard ledger.allowsRefusal(at: now) else { return counters.refuse(.unansweredRefusal) }
        let buffer = output.transport.takeWriter()
        let start = buffer.count
        let answer = ICEAnswer.refusal(of: check, code, key: key, appendingTo: buffer)
        // Whoever forges a sender must not gain by it.
        guard answer.count - start <= check.message.bytes.byteCount else {
            output.transport.written = answer
            return counters.refuse(.unansweredRefusal)
        }
        output.send(answer, since: start, on: path)
    }

    /// Refuses a check of somebody whose key is known, for what the check says.
    private mutating func refuse(
        _ check: borrowing ICECheck, _ code: STUNErrorCode, key: STUNKey, _ path: ICEPath, at now: Timestamp,
        into output: inout EndpointOutput
    ) {
        switch code {
        case .unknownAttribute: refuse(check, code, .unknownAttribute, key: key, path, at: now, into: &output)
        case .roleConflict: refuse(check, code, .roleConflict, key: key, path, at: now, into: &output)
        // RFC 8489 section 9.1.3: what is not proven gets an answer without integrity.
        default: refuse(check, code, .unauthenticated, key: nil, path, at: now, into: &output)
        }
    }

    // MARK: DTLS

    mutating func receiveDTLS(
        _ bytes: RawSpan, _ path: ICEPath, at now: Timestamp, into output: inout EndpointOutput
    ) {
        guard let owner = owner(of: path.remote) else { return counters.refuse(.uncheckedAddress) }
        guard owner.datagramRate.allows(at: now) else { return counters.refuse(.datagramRate) }
        if !challengers.isEmpty, let challenger = challengers[path.remote] {
            return contend(bytes, owner, challenger, path, at: now, into: &output)
        }
        _ = deliver(bytes, to: owner, path, at: now, into: &output)
    }

    /// Hands a datagram to a peer.
    /// - Returns: whether it proved to come from it.
    private mutating func deliver(
        _ bytes: RawSpan, to peer: Peer, _ path: ICEPath, at now: Timestamp, into output: inout EndpointOutput
    ) -> Bool {
        if peer.transport == nil {
            guard bytes.beginsHandshake else {
                peer.receiveStray(bytes.isAlert, at: now)
                counters.refuse(.unexpectedDTLS)
                return false
            }
            guard ledger.beginHandshake(at: peer.home, now) else {
                counters.refuse(.handshakeRate)
                return false
            }
            advance(peer, to: .handshaking, at: now)
            peer.beginAnew(configuration.limits, at: now)
            counters.handshakes &+= 1
            peer.transport = DataChannelTransport(
                context: peer.name.context, role: .server, association: configuration.association,
                limits: configuration.limits.transport, generator: generator)
            if peer.name.kind.isDirect {
                // WebRTC Direct agrees on channel 0 without DCEP.
                _ = peer.transport?.handle(
                    .negotiateChannel(stream: 0, DataChannelParameters(label: "")), at: now, into: &output.transport)
            }
        }
        peer.lastPath = path
        peer.transportDeadline = peer.transport?.handle(.datagram(bytes), at: now, into: &output.transport) ?? nil
        let isProven = peer.transport?.isProven ?? false
        if isProven { note(peer.ice.receive(on: path, at: now), of: peer, into: &output) }
        finish(peer, at: now, into: &output)
        return isProven
    }

    /// A datagram from an address that two peers check from. A phone whose page was loaded anew may keep its port, and one that
    /// restarts ICE keeps its DTLS session under a new name; what proves to be whose decides.
    private mutating func contend(
        _ bytes: RawSpan, _ owner: Peer, _ challenger: Peer, _ path: ICEPath, at now: Timestamp,
        into output: inout EndpointOutput
    ) {
        let isChallengerAhead = challenger.transport != nil
        if bytes.beginsHandshake || isChallengerAhead && bytes.isOfFirstEpoch {
            _ = deliver(bytes, to: challenger, path, at: now, into: &output)
        } else if deliver(bytes, to: owner, path, at: now, into: &output) {
            if !isChallengerAhead { rename(owner, as: challenger, at: now, into: &output) }
        } else if isChallengerAhead {
            _ = deliver(bytes, to: challenger, path, at: now, into: &output)
        }
        if case .connected = challenger.stage, byAddress[path.remote] !== challenger {
            // Who has moved on loses nothing but a path it does not use.
            if owner.path?.remote == path.remote {
                disconnect(owner, .replaced, at: now, into: &output)
            } else {
                owner.ice.forget(path.remote)
            }
            byAddress[path.remote] = challenger
            challengers[path.remote] = nil
        }
    }

    /// A peer restarted ICE (RFC 8445 section 9): the name that came up beside it is its new one.
    private mutating func rename(
        _ peer: Peer, as other: Peer, at now: Timestamp, into output: inout EndpointOutput
    ) {
        guard case .connected = peer.stage, peer.name.kind == other.name.kind else { return }
        let username = other.username
        let paths = other.ice
        remove(other, .replaced, at: now, into: &output)
        byUsername[peer.username] = nil
        peer.username = username
        byUsername[username] = peer
        peer.ice.adopt(paths)
        // Those of them that it took over: it has a limit, and only what it knows of is released when it goes.
        for address in peer.ice.remoteAddresses { claim(address, for: peer) }
    }
}

extension ICECheck {
    /// USERNAME as it came.
    fileprivate var username: [UInt8] {
        var name: [UInt8] = []
        name.reserveCapacity(localFragment.byteCount + 1 + remoteFragment.byteCount)
        localFragment.withUnsafeBytes { name.append(contentsOf: $0) }
        name.append(UInt8(ascii: ":"))
        remoteFragment.withUnsafeBytes { name.append(contentsOf: $0) }
        return name
    }
}

extension RawSpan {
    /// Whether a datagram of DTLS begins with a ClientHello (RFC 6347 sections 4.1 and 4.2.2): content type 22, epoch 0, and
    /// message type 1.
    fileprivate var beginsHandshake: Bool {
        var reader = ByteReader(self)
        guard reader.readUInt8() == 22, reader.skip(2), reader.readUInt16() == 0, reader.skip(8) else { return false }
        return reader.readUInt8() == 1
    }

    /// Whether a datagram of DTLS begins with an alert.
    fileprivate var isAlert: Bool {
        var reader = ByteReader(self)
        return reader.readUInt8() == 21
    }

    /// Whether a datagram of DTLS begins with a record that is not encrypted: epoch 0. Content types above 31 are those of DTLS
    /// 1.3's encrypted records (RFC 9147 section 4.1).
    fileprivate var isOfFirstEpoch: Bool {
        var reader = ByteReader(self)
        guard let type = reader.readUInt8(), type < 32, reader.skip(2) else { return false }
        return reader.readUInt16() == 0
    }
}

extension EndpointOutput {
    /// Puts the writer back and sends what was appended to it.
    fileprivate mutating func send(_ writer: consuming ByteWriter, since start: Int, on path: ICEPath) {
        transport.written = writer
        datagrams.append(
            EndpointDatagram(
                range: start..<transport.written.count, destination: path.remote, source: path.local))
    }
}
