import SansIO
import STUN
import Wire

/// What answering a request needs of it.
struct Request {
    let tuple: FiveTuple
    let method: STUNMethod
    let transactionID: TransactionID
    let hasFingerprint: Bool
    let credentials: Credentials
}

/// What came of checking a request's credentials (RFC 8489 section 9.2.4).
private enum Authentication {
    case proven(Credentials)
    case refused(STUNErrorCode, TURNRefusal)
}

// MARK: Binding, authentication and the requests about an allocation

extension TURNServer {
    /// The key-making algorithms offered, the preferred one first.
    private static let algorithms: [STUNPasswordAlgorithm] = [.sha256, .md5]

    mutating func answerBinding(_ message: STUNMessage, _ tuple: FiveTuple, into output: inout TURNOutput) {
        let unknown = unknownAttributes(message)
        let buffer = output.takeBuffer()
        let start = buffer.count
        var writer = STUNWriter(
            unknown.isEmpty ? .success : .error, .binding, message.transactionID, appendingTo: buffer)
        if unknown.isEmpty {
            writer.append(.xorMappedAddress, xorAddress: tuple.client)
        } else {
            writer.append(.unknownAttribute)
            writer.append(unknownAttributes: unknown)
        }
        if message.hasFingerprint { writer.appendFingerprint() }
        output.send(writer.finish(), since: start, from: .server(tuple.server), to: tuple.client)
        if unknown.isEmpty { counters.bindings &+= 1 } else { counters.refuse(.unknownAttribute) }
    }

    mutating func receiveRequest(
        _ message: STUNMessage, _ tuple: FiveTuple, at now: Timestamp, into output: inout TURNOutput
    ) {
        let allocation = byClient[tuple]
        let credentials: Credentials
        switch authenticate(message, tuple, allocation, at: now) {
        case .proven(let proven): credentials = proven
        case .refused(let code, let cause):
            return challenge(message, tuple, code, cause, at: now, into: &output)
        }
        let request = Request(
            tuple: tuple, method: message.method, transactionID: message.transactionID,
            hasFingerprint: message.hasFingerprint, credentials: credentials)
        let unknown = unknownAttributes(message)
        guard unknown.isEmpty else {
            return refuse(request, .unknownAttribute, .unknownAttribute, into: &output) {
                $0.append(unknownAttributes: unknown)
            }
        }
        if message.method == .allocate {
            return allocate(message, request, allocation, at: now, into: &output)
        }
        // RFC 8656 section 5: without an allocation, 437; of another user, 441.
        guard let allocation, case .open = allocation.state else {
            return refuse(request, .allocationMismatch, .allocationMismatch, into: &output)
        }
        guard allocation.credentials.username == credentials.username else {
            return refuse(request, .wrongCredentials, .wrongCredentials, into: &output)
        }
        if message.method == .refresh {
            refresh(message, request, allocation, at: now, into: &output)
        } else if message.method == .createPermission {
            createPermission(message, request, allocation, at: now, into: &output)
        } else {
            bindChannel(message, request, allocation, at: now, into: &output)
        }
    }

    // MARK: Long-term credentials

    /// Checks a request's credentials in the order of RFC 8489 section 9.2.4.
    private func authenticate(
        _ message: STUNMessage, _ tuple: FiveTuple, _ allocation: Allocation?, at now: Timestamp
    ) -> Authentication {
        guard message.hasIntegrity || message.hasIntegritySHA256 else { return .refused(.unauthenticated, .challenged) }
        guard let username = message.first(.username)?.text, message.first(.realm)?.type == .realm,
            let nonce = message.first(.nonce)?.value, let algorithm = algorithm(of: message)
        else { return .refused(.badRequest, .badRequest) }

        let key: STUNKey
        if let allocation, allocation.credentials.username == username,
            allocation.credentials.algorithm == algorithm
        {
            // Time-limited names expire; an allocation made in time goes on, so that no call is cut.
            key = allocation.credentials.key
        } else {
            guard let password = passwords(username),
                let made = STUNKey(
                    longTerm: algorithm, username: username, realm: configuration.realm, password: password)
            else { return .refused(.unauthenticated, .unauthenticated) }
            key = made
        }
        let usesSHA256 = message.hasIntegritySHA256
        guard usesSHA256 ? message.isIntactSHA256(key: key) : message.isIntact(key: key) else {
            return .refused(.unauthenticated, .unauthenticated)
        }
        guard nonces.isValid(nonce, for: tuple.client.address, at: now) else {
            return .refused(.staleNonce, .staleNonce)
        }
        return .proven(Credentials(username: username, algorithm: algorithm, key: key, usesSHA256: usesSHA256))
    }

    /// The algorithm a request says it made its key by, MD5 when it says nothing; nil when it contradicts what was
    /// offered, which may be an attempt to bid down (RFC 8489 section 9.2.4).
    private func algorithm(of message: STUNMessage) -> STUNPasswordAlgorithm? {
        let hasChoice = message.first(.passwordAlgorithm)?.type == .passwordAlgorithm
        let hasOffer = message.first(.passwordAlgorithms)?.type == .passwordAlgorithms
        if !hasChoice, !hasOffer { return .md5 }
        guard message.first(.passwordAlgorithms)?.passwordAlgorithms == Self.algorithms,
            let choice = message.first(.passwordAlgorithm)?.passwordAlgorithms, choice.count == 1,
            let algorithm = choice.first, Self.algorithms.contains(algorithm)
        else { return nil }
        return algorithm
    }

    /// Refuses a request that proved nothing, with what the client needs to do better.
    private mutating func challenge(
        _ message: STUNMessage, _ tuple: FiveTuple, _ code: STUNErrorCode, _ cause: TURNRefusal, at now: Timestamp,
        into output: inout TURNOutput
    ) {
        let taken = output.takeBuffer()
        let start = taken.count
        var writer = STUNWriter(.error, message.method, message.transactionID, appendingTo: taken)
        writer.append(code)
        if code != .badRequest {
            writer.append(.realm, text: configuration.realm)
            writer.append(.nonce, bytes: nonces.make(for: tuple.client.address, at: now))
            writer.append(.passwordAlgorithms, algorithms: Self.algorithms)
        }
        if message.hasFingerprint { writer.appendFingerprint() }
        let buffer = writer.finish()
        guard challenges.allows(buffer.count - start, to: tuple.client.address, at: now) else {
            output.written = buffer
            return counters.refuse(.rateLimited)
        }
        output.send(buffer, since: start, from: .server(tuple.server), to: tuple.client)
        counters.refuse(cause)
    }

    /// The attributes that must be understood and are not (RFC 8489 section 6.3.1).
    private func unknownAttributes(_ message: STUNMessage) -> [STUNAttributeType] {
        var unknown: [STUNAttributeType] = []
        var attributes = message.meaningfulAttributes
        while let attribute = attributes.next() {
            if !attribute.type.isOptional, !Self.isKnown(attribute.type), !unknown.contains(attribute.type) {
                unknown.append(attribute.type)
            }
            // As many as fit an answer no longer than the request.
            if unknown.count == 8 { break }
        }
        return unknown
    }

    /// Whether a comprehension-required attribute is known. DONT-FRAGMENT is not, as RFC 8656 section 7.2 lets a server
    /// have it: the sockets of relayed addresses leave fragmentation to the kernel.
    static func isKnown(_ type: STUNAttributeType) -> Bool {
        switch type {
        case .mappedAddress, .username, .messageIntegrity, .errorCode, .unknownAttributes, .realm, .nonce,
            .messageIntegritySHA256, .passwordAlgorithm, .userhash, .xorMappedAddress, .channelNumber, .lifetime,
            .xorPeerAddress, .data, .xorRelayedAddress, .requestedAddressFamily, .evenPort, .requestedTransport,
            .reservationToken, .priority, .useCandidate:
            true
        default: false
        }
    }

    // MARK: Answers to proven clients

    mutating func succeed(_ request: Request, into output: inout TURNOutput, _ body: (inout STUNWriter) -> Void) {
        answer(request, .success, into: &output, body)
    }

    mutating func refuse(
        _ request: Request, _ code: STUNErrorCode, _ cause: TURNRefusal, into output: inout TURNOutput,
        _ body: (inout STUNWriter) -> Void = { _ in }
    ) {
        counters.refuse(cause)
        answer(request, .error, into: &output) {
            $0.append(code)
            body(&$0)
        }
    }

    private func answer(
        _ request: Request, _ messageClass: STUNClass, into output: inout TURNOutput,
        _ body: (inout STUNWriter) -> Void
    ) {
        let buffer = output.takeBuffer()
        let start = buffer.count
        var writer = STUNWriter(
            messageClass, request.method, request.transactionID, appendingTo: buffer)
        body(&writer)
        // RFC 8489 section 9.2.4: the answer is protected as the request was.
        if request.credentials.usesSHA256 {
            writer.appendIntegritySHA256(key: request.credentials.key)
        } else {
            writer.appendIntegrity(key: request.credentials.key)
        }
        if request.hasFingerprint { writer.appendFingerprint() }
        output.send(writer.finish(), since: start, from: .server(request.tuple.server), to: request.tuple.client)
    }

    // MARK: Refresh, CreatePermission, ChannelBind

    /// RFC 8656 section 8.2.
    private mutating func refresh(
        _ message: STUNMessage, _ request: Request, _ allocation: Allocation, at now: Timestamp,
        into output: inout TURNOutput
    ) {
        if message.first(.requestedAddressFamily)?.type == .requestedAddressFamily {
            guard
                let family = message.first(.requestedAddressFamily)?.leadingOctet
                    .flatMap(STUNAddressFamily.init(rawValue:)),
                family == allocation.relay.address.family
            else { return refuse(request, .peerAddressFamilyMismatch, .addressFamily, into: &output) }
        }
        guard let lifetime = grantedLifetime(message) else {
            return refuse(request, .badRequest, .badRequest, into: &output)
        }
        if lifetime == .zero {
            end(allocation, into: &output)
        } else {
            allocation.expires = now + lifetime
            wake(by: allocation.expires)
        }
        succeed(request, into: &output) {
            $0.append(.lifetime, uint32: UInt32(clamping: lifetime.components.seconds))
        }
    }

    /// How long an allocation may live: what LIFETIME asks, within the limits (RFC 8656 section 7.2); zero when it asks
    /// for the end; nil when it is malformed.
    func grantedLifetime(_ message: STUNMessage) -> Duration? {
        let limits = configuration.limits
        guard message.first(.lifetime)?.type == .lifetime else { return limits.defaultLifetime }
        guard let seconds = message.first(.lifetime)?.uint32 else { return nil }
        if seconds == 0 { return .zero }
        return min(limits.maximumLifetime, max(limits.defaultLifetime, .seconds(seconds)))
    }

    /// RFC 8656 section 10.2: all peers are let in, or none.
    private mutating func createPermission(
        _ message: STUNMessage, _ request: Request, _ allocation: Allocation, at now: Timestamp,
        into output: inout TURNOutput
    ) {
        var peers: Set<IPAddress> = []
        var attributes = message.meaningfulAttributes
        while let attribute = attributes.next() {
            guard attribute.type == .xorPeerAddress else { continue }
            guard let peer = attribute.xorAddress(message.transactionID) else {
                return refuse(request, .badRequest, .badRequest, into: &output)
            }
            guard peer.address.family == allocation.relay.address.family else {
                return refuse(request, .peerAddressFamilyMismatch, .addressFamily, into: &output)
            }
            if let cause = refusal(ofPeer: peer, of: allocation) {
                return refuse(request, .forbidden, cause, into: &output)
            }
            peers.insert(peer.address)
            guard peers.count <= configuration.limits.permissionsPerAllocation else {
                return refuse(request, .insufficientCapacity, .capacity, into: &output)
            }
        }
        guard !peers.isEmpty else { return refuse(request, .badRequest, .badRequest, into: &output) }
        let added = peers.count { allocation.permissions[$0] == nil }
        guard allocation.permissions.count + added <= configuration.limits.permissionsPerAllocation else {
            return refuse(request, .insufficientCapacity, .capacity, into: &output)
        }
        let expires = now + configuration.limits.permissionLifetime
        for peer in peers { _ = allocation.permit(peer, until: expires) }
        wake(by: expires)
        succeed(request, into: &output) { _ in }
    }

    /// RFC 8656 section 12.2.
    private mutating func bindChannel(
        _ message: STUNMessage, _ request: Request, _ allocation: Allocation, at now: Timestamp,
        into output: inout TURNOutput
    ) {
        let limits = configuration.limits
        guard let number = message.first(.channelNumber)?.channelNumber, ChannelData.numbers.contains(number),
            let peer = message.first(.xorPeerAddress)?.xorAddress(message.transactionID), peer.port != 0
        else { return refuse(request, .badRequest, .badRequest, into: &output) }
        guard peer.address.family == allocation.relay.address.family else {
            return refuse(request, .peerAddressFamilyMismatch, .addressFamily, into: &output)
        }
        if let cause = refusal(ofPeer: peer, of: allocation) {
            return refuse(request, .forbidden, cause, into: &output)
        }
        // A number stands for one peer and a peer has one number while the binding lasts.
        let bound = allocation.channels[number]
        guard bound.map({ $0.peer == peer }) ?? (allocation.channelsByPeer[peer] == nil) else {
            return refuse(request, .badRequest, .badRequest, into: &output)
        }
        let isFull = bound == nil && allocation.channels.count >= limits.channelsPerAllocation
        let needsPermission = allocation.permissions[peer.address] == nil
        guard !isFull, !needsPermission || allocation.permissions.count < limits.permissionsPerAllocation else {
            return refuse(request, .insufficientCapacity, .capacity, into: &output)
        }
        let permission = allocation.permit(peer.address, until: now + limits.permissionLifetime)
        if let bound {
            bound.expires = now + limits.channelLifetime
        } else {
            allocation.bind(
                Channel(
                    number, peer: peer, permission: permission, expires: now + limits.channelLifetime,
                    isPeerOwn: configuration.isOwn(peer.address)))
        }
        wake(by: permission.expires)
        succeed(request, into: &output) { _ in }
    }
}

extension IPAddress {
    /// The address's family on the wire.
    var family: STUNAddressFamily {
        switch self {
        case .v4: .v4
        case .v6: .v6
        }
    }
}
