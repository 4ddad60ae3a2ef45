import IEEE80211
import SansIO
import WiFiCrypto
import Wire

// What is done with a commit and with a confirm (IEEE 802.11-2020, 12.4.8.6).

extension SAEAuthenticator {
    // MARK: Commits

    mutating func receiveCommit(
        _ body: RawSpan, _ status: StatusCode, from station: MACAddress, at now: Timestamp,
        into output: inout SAEOutput
    ) throws(WiFiCryptoError) {
        guard let method = SAEMethod(status: status), accepts.contains(method) else {
            return refuse(station, .unsupportedMethod(status), transaction: 1, into: &output)
        }
        // Nothing says whether a token is in front of the scalar. It is there if it is one of ours, and if the frame makes no
        // sense without: then it may be an old one.
        tokens.age(at: now, using: &generator)
        let octets = AntiCloggingTokens.octets
        var hasToken = false
        if method == .huntingAndPecking, body.byteCount >= SAECommitBody.size + octets {
            hasToken =
                try tokens.isValid(body.extracting(2..<(2 + octets)), of: station)
                || SAECommitBody(body, method: method, tokenLength: 0) == nil
        }
        guard let commit = SAECommitBody(body, method: method, tokenLength: hasToken ? octets : 0) else {
            return refuse(station, .malformed, transaction: 1, into: &output)
        }
        guard commit.group == SAECommitBody.group else {
            return refuse(station, .unsupportedGroup(commit.group), transaction: 1, into: &output)
        }
        guard !commit.hasPasswordIdentifier else {
            return refuse(station, .unknownPasswordIdentifier, transaction: 1, into: &output)
        }
        guard !commit.rejects(SAECommitBody.group) else {
            return refuse(station, .downgrade, transaction: 1, into: &output)
        }
        let id = SAEExchangeID(address: station, method: method)
        switch exchanges[id]?.state {
        case .committed(let committed):
            try receive(commit, in: committed, id, into: &output)
        case .accepted(let accepted) where commit.shows(accepted.keys.peer):
            // Late: the exchange it began is done.
            counters.ignored += 1
        case .accepted, nil:
            // A station that was accepted and comes again has lost its key. It keeps the old one until it proves itself, so
            // that a forged commit does no harm.
            try begin(commit, id, at: now, into: &output)
        }
    }

    /// A commit where there is no exchange yet.
    private mutating func begin(
        _ commit: borrowing SAECommitBody, _ id: SAEExchangeID, at now: Timestamp, into output: inout SAEOutput
    ) throws(WiFiCryptoError) {
        if halfOpen >= limits.tokenThreshold, !(try tokens.isValid(commit.token, of: id.address)) {
            counters.tokensAsked += 1
            let token = try tokens.token(for: id.address)
            return output.send(to: id.address, transaction: 1, status: .antiCloggingTokenRequired) {
                SAECommitBody.write(tokenRequest: token, method: id.method, into: &$0)
            }
        }
        guard let share = try share(of: commit) else {
            return refuse(id.address, .invalidShare, transaction: 1, into: &output)
        }
        let cost: Double =
            switch id.method {
            case .hashToElement: 1
            case .huntingAndPecking: 1 + limits.huntingWork
            }
        guard mayWork(cost, at: now) else { return }
        let element = try password.element(by: id.method, for: address, id.address, using: &generator)
        let secrets = try SAESecrets(for: element, using: &generator)
        let peer = SAECommitted.Peer(share: share, salt: commit.rejectedGroups.copied, keys: nil)
        begin(id, SAECommitted(secrets: secrets, peers: [peer]), at: now)
        send(secrets.share, id, into: &output)
    }

    /// A commit where we have answered one already: the same one again, since our answer got lost, or another, since the
    /// station began anew or somebody forges its address.
    private mutating func receive(
        _ commit: borrowing SAECommitBody, in committed: SAECommitted, _ id: SAEExchangeID, into output: inout SAEOutput
    ) throws(WiFiCryptoError) {
        var committed = committed
        // A reflection: whoever sends our own commit back need not know the password (12.4.5.4).
        guard !commit.shows(committed.secrets.share) else {
            counters.ignored += 1
            return
        }
        if committed.peers.contains(where: { commit.shows($0.share) }) {
            guard committed.retransmissions < limits.retransmissions else {
                end(id)
                return refuse(id.address, .tooManyRetransmissions, transaction: 1, into: &output)
            }
            committed.retransmissions += 1
        } else {
            guard let share = try share(of: commit) else {
                return refuse(id.address, .invalidShare, transaction: 1, into: &output)
            }
            committed.peers.append(
                SAECommitted.Peer(share: share, salt: commit.rejectedGroups.copied, keys: nil))
            if committed.peers.count > limits.commitsPerExchange { committed.peers.removeFirst() }
        }
        exchanges[id]?.state = .committed(committed)
        send(committed.secrets.share, id, into: &output)
    }

    private func share(of commit: borrowing SAECommitBody) throws(WiFiCryptoError) -> SAEShare? {
        guard let scalar = try curve.scalar(commit.scalar), let element = try curve.point(commit.element) else {
            return nil
        }
        return SAEShare(scalar: scalar, element: element)
    }

    private func send(_ share: SAEShare, _ id: SAEExchangeID, into output: inout SAEOutput) {
        output.send(to: id.address, transaction: 1, status: id.method.status) {
            SAECommitBody.write(share, method: id.method, into: &$0)
        }
    }

    // MARK: Confirms

    mutating func receiveConfirm(
        _ body: RawSpan, _ status: StatusCode, from station: MACAddress, at now: Timestamp,
        into output: inout SAEOutput
    ) throws(WiFiCryptoError) {
        guard status == .success, let confirm = SAEConfirmBody(body) else {
            counters.ignored += 1
            return
        }
        var hasFailed = false
        for method in SAEMethod.allCases {
            let id = SAEExchangeID(address: station, method: method)
            switch exchanges[id]?.state {
            case .committed(var committed):
                let outcome = try verify(confirm, in: &committed, at: now)
                exchanges[id]?.state = .committed(committed)
                switch outcome {
                case .verified(let keys):
                    return try accept(id, keys, confirm, at: now, into: &output)
                case .failed:
                    hasFailed = true
                case .postponed:
                    return
                }
            case .accepted(let accepted):
                if try repeatConfirm(after: confirm, accepted, id, into: &output) { return }
            case nil:
                continue
            }
        }
        guard hasFailed else {
            counters.ignored += 1
            return
        }
        // One guess for each exchange: what failed is over.
        for method in SAEMethod.allCases {
            let id = SAEExchangeID(address: station, method: method)
            if exchanges[id]?.isHalfOpen == true { end(id) }
        }
        refuse(station, .wrongPassword, transaction: 2, into: &output)
    }

    private enum Outcome {
        case verified(SAEKeys)
        case failed
        /// There is too much work; the station will send its confirm again.
        case postponed
    }

    private mutating func verify(
        _ confirm: SAEConfirmBody, in committed: inout SAECommitted, at now: Timestamp
    ) throws(WiFiCryptoError) -> Outcome {
        for index in committed.peers.indices.reversed() {
            let peer = committed.peers[index]
            let known: SAEKeys
            if let keys = peer.keys {
                known = keys
            } else {
                guard mayWork(2, at: now) else { return .postponed }
                guard let keys = try committed.secrets.keys(with: peer.share, salt: peer.salt) else { continue }
                committed.peers[index].keys = keys
                known = keys
            }
            if try known.expectedConfirmation(confirm.counter) == confirm.code { return .verified(known) }
        }
        return .failed
    }

    private mutating func accept(
        _ id: SAEExchangeID, _ keys: SAEKeys, _ confirm: SAEConfirmBody, at now: Timestamp,
        into output: inout SAEOutput
    ) throws(WiFiCryptoError) {
        let answer = SAEConfirmBody(counter: 1, code: try keys.confirmation(1))
        for method in SAEMethod.allCases { end(SAEExchangeID(address: id.address, method: method)) }
        accept(id, SAEAccepted(keys: keys, confirm: confirm, answer: answer), at: now)
        cache.insert(keys, by: id.method, for: id.address, at: now)
        counters.accepted += 1
        output.send(to: id.address, transaction: 2, status: .success) { answer.write(into: &$0) }
        output.events.append(
            .accepted(id.address, pmk: keys.pmk, pmkid: keys.pmkid, method: id.method))
    }

    /// Answers a confirm of a station that was accepted and did not hear it.
    /// - Returns: false for one that is none of the exchange's.
    private mutating func repeatConfirm(
        after confirm: SAEConfirmBody, _ accepted: SAEAccepted, _ id: SAEExchangeID, into output: inout SAEOutput
    ) throws(WiFiCryptoError) -> Bool {
        var accepted = accepted
        if confirm != accepted.confirm {
            // 12.4.8.6.6: a higher counter, and not that of a station which has accepted and needs no answer.
            guard confirm.counter > accepted.confirm.counter, confirm.counter != .max,
                try accepted.keys.expectedConfirmation(confirm.counter) == confirm.code
            else { return false }
            accepted.confirm = confirm
            accepted.answer = SAEConfirmBody(counter: .max, code: try accepted.keys.confirmation(.max))
        }
        // Stations also send the very same confirm again. The very same answer tells nobody anything new.
        guard accepted.retransmissions < limits.retransmissions else {
            end(id)
            return true
        }
        accepted.retransmissions += 1
        exchanges[id]?.state = .accepted(accepted)
        let answer = accepted.answer
        output.send(to: id.address, transaction: 2, status: .success) { answer.write(into: &$0) }
        return true
    }
}

extension SAECommitBody {
    /// Whether scalar and element are these. Nothing here is secret.
    func shows(_ share: SAEShare) -> Bool {
        scalar.isEqualInConstantTime(to: share.scalar.secret.bytes)
            && element.isEqualInConstantTime(to: share.element.secret.bytes)
    }
}
