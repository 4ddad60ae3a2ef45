import SansIO
import STUN
import Wire

// MARK: Allocate (RFC 8656 section 7.2)

extension TURNServer {
    /// The number of UDP in REQUESTED-TRANSPORT (RFC 8656 section 18.8).
    private static let udp: UInt8 = 17

    mutating func allocate(
        _ message: STUNMessage, _ request: Request, _ existing: Allocation?, at now: Timestamp,
        into output: inout TURNOutput
    ) {
        // Step 2: one allocation for each five-tuple; a retransmission gets the same answer again.
        if let existing {
            guard existing.transactionID == message.transactionID,
                existing.credentials.username == request.credentials.username
            else { return refuse(request, .allocationMismatch, .allocationMismatch, into: &output) }
            guard case .open = existing.state else { return }
            return succeedAllocation(existing, into: &output)
        }
        // Step 3.
        guard let transport = message.first(.requestedTransport)?.leadingOctet else {
            return refuse(request, .badRequest, .badRequest, into: &output)
        }
        guard transport == Self.udp else {
            return refuse(request, .unsupportedTransport, .unsupportedTransport, into: &output)
        }
        // Steps 5 to 8: what contradicts itself.
        let hasToken = message.first(.reservationToken)?.type == .reservationToken
        let hasEvenPort = message.first(.evenPort)?.type == .evenPort
        let hasFamily = message.first(.requestedAddressFamily)?.type == .requestedAddressFamily
        let hasAdditional = message.first(.additionalAddressFamily)?.type == .additionalAddressFamily
        let reserves = (message.first(.evenPort)?.leadingOctet).map { $0 & 0x80 != 0 } ?? false
        let lifetime = grantedLifetime(message)
        guard let lifetime, !hasToken || !hasEvenPort && !hasFamily && !hasAdditional,
            !hasAdditional || !hasFamily && !reserves,
            !hasAdditional || message.first(.additionalAddressFamily)?.leadingOctet == STUNAddressFamily.v6.rawValue
        else { return refuse(request, .badRequest, .badRequest, into: &output) }
        // Without REQUESTED-ADDRESS-FAMILY an IPv4 address is wanted, whatever the client's own family.
        let family =
            hasFamily
            ? message.first(.requestedAddressFamily)?.leadingOctet.flatMap(STUNAddressFamily.init(rawValue:)) : .v4
        guard let family, let local = relayAddress(family, for: request.tuple) else {
            return refuse(request, .addressFamilyNotSupported, .addressFamily, into: &output)
        }
        // Step 9: quotas.
        let limits = configuration.limits
        guard countByAddress[request.tuple.client.address, default: 0] < limits.allocationsPerAddress,
            countByUser[request.credentials.username, default: 0] < limits.allocationsPerUser
        else { return refuse(request, .allocationQuotaReached, .quota, into: &output) }
        guard byClient.count < limits.allocations else {
            return refuse(request, .insufficientCapacity, .capacity, into: &output)
        }

        let parity: Allocation.Parity = reserves ? .evenWithNext : hasEvenPort ? .even : .any
        var token: UInt64?
        let relay: TransportAddress?
        if hasToken {
            relay = message.first(.reservationToken)?.uint64.flatMap { claim($0) }
        } else {
            if reserves, reservations.count < limits.reservations { token = generator.next() }
            relay = reserves && token == nil ? nil : freePort(local, parity)
        }
        guard let relay else { return refuse(request, .insufficientCapacity, .capacity, into: &output) }
        let allocation = Allocation(
            request.tuple, request.credentials, message.transactionID,
            grant: Allocation.Grant(
                lifetime: lifetime == .zero ? limits.defaultLifetime : lifetime, parity: parity, token: token,
                refusesAdditionalFamily: hasAdditional, hasFingerprint: request.hasFingerprint),
            relay: relay,
            // A reserved port is that one or none.
            state: .opening(attemptsLeft: hasToken ? 0 : limits.portAttempts - 1), expires: now + limits.defaultLifetime
        )
        byClient[request.tuple] = allocation
        byRelay[relay] = allocation
        countByAddress[request.tuple.client.address, default: 0] += 1
        countByUser[request.credentials.username, default: 0] += 1
        wake(by: allocation.expires)
        output.commands.append(.open(relay))
    }

    /// The socket is there: the request that wanted it is answered.
    mutating func finishAllocation(_ relay: TransportAddress, at now: Timestamp, into output: inout TURNOutput) {
        guard let allocation = byRelay[relay], case .opening = allocation.state else {
            // The allocation ended while its socket was being opened.
            if abandonedRelays.remove(relay) != nil { output.commands.append(.close(relay)) }
            return
        }
        allocation.state = .open
        allocation.expires = now + allocation.grant.lifetime
        wake(by: allocation.expires)
        if let token = allocation.grant.token {
            let next = TransportAddress(relay.address, port: relay.port &+ 1)
            let expires = now + configuration.limits.reservationLifetime
            reservations[token] = Reservation(relay: next, expires: expires)
            reservedPorts.insert(next)
            wake(by: expires)
        }
        counters.allocations &+= 1
        succeedAllocation(allocation, into: &output)
    }

    /// The socket cannot be had: another port is tried, a few times.
    mutating func retryAllocation(_ relay: TransportAddress, into output: inout TURNOutput) {
        guard let allocation = byRelay[relay], case .opening(let attemptsLeft) = allocation.state else {
            abandonedRelays.remove(relay)
            return
        }
        byRelay[relay] = nil
        if attemptsLeft > 0, let next = freePort(relay.address, allocation.grant.parity) {
            allocation.relay = next
            allocation.state = .opening(attemptsLeft: attemptsLeft - 1)
            byRelay[next] = allocation
            output.commands.append(.open(next))
            return
        }
        let request = allocation.request
        end(allocation, into: &output)
        // The answer has come: nothing is awaited for this address.
        abandonedRelays.remove(relay)
        refuse(request, .insufficientCapacity, .capacity, into: &output)
    }

    private mutating func succeedAllocation(_ allocation: Allocation, into output: inout TURNOutput) {
        let grant = allocation.grant
        let software = configuration.software
        succeed(allocation.request, into: &output) {
            $0.append(.xorRelayedAddress, xorAddress: allocation.relay)
            $0.append(.lifetime, uint32: UInt32(clamping: grant.lifetime.components.seconds))
            if let token = grant.token { $0.append(.reservationToken, uint64: token) }
            $0.append(.xorMappedAddress, xorAddress: allocation.tuple.client)
            if grant.refusesAdditionalFamily {
                // RFC 8656 section 18.12: the family, then an error code as ERROR-CODE has it.
                let code = STUNErrorCode.addressFamilyNotSupported.rawValue
                $0.append(
                    .addressErrorCode,
                    bytes: [STUNAddressFamily.v6.rawValue, 0, UInt8(code / 100), UInt8(code % 100)])
            }
            if !software.isEmpty { $0.append(.software, text: software) }
        }
    }

    // MARK: Addresses and ports

    /// The machine's address for a relayed address of a family: the one the client uses if it is of that family.
    private func relayAddress(_ family: STUNAddressFamily, for tuple: FiveTuple) -> IPAddress? {
        if tuple.server.family == family { return tuple.server }
        return configuration.localAddresses.first { $0.family == family }
    }

    /// Takes a reserved port (RFC 8656 section 7.2, step 6).
    private mutating func claim(_ token: UInt64) -> TransportAddress? {
        guard let reservation = reservations.removeValue(forKey: token) else { return nil }
        reservedPorts.remove(reservation.relay)
        return isFree(reservation.relay) ? reservation.relay : nil
    }

    /// A port of the range that is free here, found from a random one on, since guessable ports help attackers
    /// (RFC 8656 section 7.2).
    private mutating func freePort(_ address: IPAddress, _ parity: Allocation.Parity) -> TransportAddress? {
        let ports = configuration.relayPorts
        let start = UInt16.random(in: ports, using: &generator)
        var port = start
        repeat {
            let candidate = TransportAddress(address, port: port)
            let isFit =
                switch parity {
                case .any: true
                case .even: port % 2 == 0
                case .evenWithNext:
                    port % 2 == 0 && port < ports.upperBound
                        && isFree(TransportAddress(address, port: port + 1))
                }
            if isFit, isFree(candidate) { return candidate }
            port = port == ports.upperBound ? ports.lowerBound : port + 1
        } while port != start
        return nil
    }

    private func isFree(_ candidate: TransportAddress) -> Bool {
        byRelay[candidate] == nil && !reservedPorts.contains(candidate) && !abandonedRelays.contains(candidate)
    }
}

extension Allocation {
    /// The request that made the allocation, as far as answering it goes.
    fileprivate var request: Request {
        Request(
            tuple: tuple, method: .allocate, transactionID: transactionID, hasFingerprint: grant.hasFingerprint,
            credentials: credentials)
    }
}
