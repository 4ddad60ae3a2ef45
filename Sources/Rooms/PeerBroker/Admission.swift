import Credentials
import SansIO
import Wire

// Who gets in under which id: PeerServer's `webSocketServer/index.ts`, with what it lacks.
extension PeerBroker {
    /// A connection was opened.
    mutating func open(
        _ connection: ConnectionID, _ opening: Opening, _ now: Timestamp, _ output: inout Output
    ) {
        guard connections[connection] == nil else { return }
        func refuse(_ reason: Refusal, _ message: Message, _ code: CloseCode, _ text: String) {
            output.actions.append(.send(connection, output.write(message)))
            output.actions.append(.close(connection, code, reason: text))
            output.events.append(.refused(connection, id: opening.id, opening.address, reason))
            counters.refuse(reason)
        }
        if isShutDown {
            output.actions.append(.close(connection, .goingAway, reason: "the box is going down"))
            output.events.append(.refused(connection, id: opening.id, opening.address, .shutdown))
            return counters.refuse(.shutdown)
        }
        // PeerServer's conditions, in its order; it takes an empty parameter for a missing one.
        guard let id = opening.id, let token = opening.token, let key = opening.key, !id.isEmpty, !token.isEmpty,
            !key.isEmpty
        else {
            let message = "No id, token, or key supplied to websocket server"
            return refuse(.parameters, .error(message, code: nil), .policyViolation, "parameters")
        }
        guard key == self.key else {
            return refuse(.key, .error("Invalid key provided", code: nil), .policyViolation, "key")
        }
        guard id.utf8.count <= limits.idBytes, token.utf8.count <= limits.tokenBytes else {
            return refuse(.parameters, .error("The id or the token is too long", code: nil), .policyViolation, "length")
        }
        let isMember = id.hasPrefix(Identifiers.memberPrefix)
        if isMember {
            let claims = tokens.verify(token)
            guard let claims, claims.id == id else {
                let message = "This id belongs to the room, and the token does not. Scan the code on the box to join."
                return refuse(.forbidden, .error(message, code: "forbidden"), .forbidden, "forbidden")
            }
            guard claims.generation == generation else {
                let message = "The codes of this room were changed. Scan the new code on the box to come back."
                return refuse(.rotated, .error(message, code: "rotated"), .rotated, "rotated")
            }
            guard room.members[id] != nil || room.members.count < limits.members else {
                let message = "The room is full: it takes \(limits.members) people."
                return refuse(.full, .error(message, code: "full"), .full, "full")
            }
        } else if !limits.admitsPlainClients {
            let message = "This box serves its own room only. Scan the code on the box to join."
            return refuse(.forbidden, .error(message, code: "forbidden"), .forbidden, "forbidden")
        }

        let holder = holders[id].flatMap { connections[$0] }
        let isReattach = holder.map { sameToken($0.token, token) } ?? false
        // A re-attach takes the place of a connection, so it can make nothing grow.
        if !isReattach {
            let isCrowd =
                !opening.address.isLoopback
                && connectionsOfAddress[opening.address, default: 0] >= limits.connectionsPerAddress
            // Members have a limit of their own: other clients can't keep them out.
            guard !isCrowd, isMember || holder != nil || holders.count < limits.connections else {
                let message = "Server has reached its concurrent user limit"
                return refuse(.limit, .error(message, code: nil), .tryAgainLater, "limit")
            }
            guard holder == nil || waiting.values.reduce(0, { $0 + $1.count }) < limits.waiting else {
                return refuse(.idTaken, .idTaken, .policyViolation, "id taken")
            }
        }
        connections[connection] = Connection(
            id: id, token: token, address: opening.address, isMember: isMember, limits: limits, now: now)
        connectionsOfAddress[opening.address, default: 0] += 1
        admit(connection, now, &output)
    }

    /// Gives a connection its id, or makes it wait while the id's holder is probed.
    private mutating func admit(_ connection: ConnectionID, _ now: Timestamp, _ output: inout Output) {
        guard let newcomer = connections[connection] else { return }
        guard let holderID = holders[newcomer.id], let holder = connections[holderID] else {
            return attach(connection, again: false, now, &output)
        }
        if sameToken(holder.token, newcomer.token) {
            // The client is back before its old connection was known to be lost. PeerServer takes the new one
            // without a word and the client hangs; it must get its OPEN.
            return attach(connection, again: true, now, &output)
        }
        switch holder.role {
        case .probed(let deadline): schedule(deadline)
        case .holder, .waiting:
            let deadline = now + limits.probeTime
            connections[holderID]?.role = .probed(until: deadline)
            output.actions.append(.ping(holderID))
            schedule(deadline)
        }
        if !newcomer.isWaiting { connections[connection]?.role = .waiting(held: [], byteCount: 0) }
        waiting[newcomer.id, default: []].append(connection)
    }

    /// Lets in those who waited for an id that has no holder any more. The first one gets it; the others wait on.
    mutating func admitWaiting(for id: String, _ now: Timestamp, _ output: inout Output) {
        for connection in waiting.removeValue(forKey: id) ?? [] { admit(connection, now, &output) }
    }

    /// The holder of an id lives: those who wait for it hear that it is taken.
    mutating func refuseWaiting(for id: String, _ output: inout Output) {
        for connection in waiting.removeValue(forKey: id) ?? [] {
            guard let newcomer = connections[connection] else { continue }
            output.actions.append(.send(connection, output.write(.idTaken)))
            output.actions.append(.close(connection, .policyViolation, reason: "id taken"))
            output.events.append(.refused(connection, id: id, newcomer.address, .idTaken))
            counters.refuse(.idTaken)
            forget(connection)
        }
    }

    /// Gives a connection its id: `OPEN`, the roster for a member, then what has waited for it.
    private mutating func attach(
        _ connection: ConnectionID, again: Bool, _ now: Timestamp, _ output: inout Output
    ) {
        guard let state = connections[connection] else { return }
        let id = state.id
        if let old = holders[id], old != connection {
            output.actions.append(.close(old, .replaced, reason: "replaced"))
            output.events.append(.detached(old, id: id, .replaced))
            forget(old)
            // Whoever waits for the id was waiting for a sign of life of its holder, and here it is.
            refuseWaiting(for: id, &output)
        }
        holders[id] = connection
        let formerRole = state.role
        state.role = .holder
        state.lastFrame = now
        schedule(state.nextPing)
        counters.attached += 1

        _ = send(output.write(.open), to: connection, now, &output)
        var isBack = again
        if state.isMember {
            let (isNew, changed) = room.attach(id, to: connection, address: state.address)
            isBack = !isNew
            if changed { rosterChanged(now) }
            sendRoster(to: id, on: connection, now, &output)
        }
        output.events.append(.attached(connection, id: id, state.address, again: isBack))
        for message in queues.take(for: id) {
            _ = send(output.write(message), to: connection, now, &output)
            counters.framesRelayed += 1
            counters.bytesRelayed += UInt64(message.count)
        }
        switch formerRole {
        case .waiting(let held, _):
            for frame in held { process(frame.span.bytes, from: connection, now, &output) }
        case .holder, .probed: break
        }
    }

    // MARK: The end of a connection

    /// Closes a connection for a reason of the broker's.
    mutating func close(
        _ connection: ConnectionID, _ code: CloseCode, reason: String, because departure: Departure, _ now: Timestamp,
        _ output: inout Output
    ) {
        guard connections[connection] != nil else { return }
        output.actions.append(.close(connection, code, reason: reason))
        detach(connection, because: departure, now, &output)
    }

    /// Notes that a connection has ended: its id is free, and a member is away or, if it said so, gone.
    mutating func detach(
        _ connection: ConnectionID, because departure: Departure, _ now: Timestamp, _ output: inout Output
    ) {
        guard let state = connections[connection] else { return }
        forget(connection)
        guard !state.isWaiting else {
            waiting[state.id]?.removeAll { $0 == connection }
            if waiting[state.id]?.isEmpty == true { waiting[state.id] = nil }
            return
        }
        output.events.append(.detached(connection, id: state.id, departure))
        guard holders[state.id] == connection else { return }
        holders[state.id] = nil
        if waiting[state.id] != nil { freed.append(state.id) }
        guard state.isMember else { return }
        switch departure {
        case .left:
            if room.remove(state.id) { output.events.append(.left(id: state.id)) }
        case .closed, .replaced, .unresponsive, .slowReader, .flood, .messageTooBig, .rotated, .shutdown:
            let deadline = now + limits.awayTime
            room.setAway(state.id, until: deadline)
            schedule(deadline)
        }
        rosterChanged(now)
    }

    /// Takes a connection out of the tables that count it.
    private mutating func forget(_ connection: ConnectionID) {
        guard let address = connections.removeValue(forKey: connection)?.address else { return }
        let left = connectionsOfAddress[address, default: 1] - 1
        connectionsOfAddress[address] = left > 0 ? left : nil
    }

    /// Compares tokens in a time that does not depend on how much of one is right.
    private func sameToken(_ lhs: String, _ rhs: String) -> Bool {
        guard lhs.utf8.count == rhs.utf8.count else { return false }
        return zip(lhs.utf8, rhs.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
