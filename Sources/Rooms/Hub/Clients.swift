import Credentials
import SansIO

// Who is there: connections come and go, rooms are changed.
extension Hub {
    /// A channel is open: the client gets its id and is in the room `""`.
    mutating func open(_ connection: HubConnection, _ now: Timestamp, _ output: inout Output) {
        guard connections[connection] == nil else { return }
        guard clients.count < limits.clients || makeRoom(&output) else {
            counters.refusedClients += 1
            farewell(connection, .full, &output)
            return
        }
        advance(to: lastID + 1, &output)
        let client = Client(id: lastID, connection: connection, limits: limits, now: now)
        connections[connection] = client
        clients[client.id] = client
        client.room = lobby
        lobby.insert(client)
        counters.opened += 1
        output.events.append(.opened(connection, id: client.id))
        sendID(to: client, next: nil, &output)
    }

    /// Notes that ids up to this one are given out, and sees to it that those to come are persisted in time.
    private mutating func advance(to id: Int64, _ output: inout Output) {
        lastID = id
        guard reservedIDs - lastID < limits.idReserve / 4 else { return }
        reservedIDs = lastID + limits.idReserve
        output.events.append(.idsReserved(through: reservedIDs))
    }

    /// Sends `id`.
    /// - Parameter next: the number of the next message, for a client that numbers them.
    func sendID(to client: Client, next: UInt64?, _ output: inout Output) {
        guard let connection = client.connection else { return }
        let start = output.bytes.count
        output.write(#"{"t":"id","id":"#)
        output.write(UInt64(client.id))
        output.write(#","resume":""#)
        output.write(tokens.issue(id: client.id))
        output.write("\"")
        if let next {
            output.write(#","next":"#)
            output.write(next)
        }
        output.write("}")
        output.actions.append(.send(connection, start..<output.bytes.count))
    }

    /// Lets go of the client that has been absent longest, to make room for one that is there.
    private mutating func makeRoom(_ output: inout Output) -> Bool {
        guard absentCount > 0 else { return false }
        var oldest: (client: Client, until: Timestamp)?
        for client in clients.values {
            guard case .absent(let until) = client.presence else { continue }
            if let found = oldest, (found.until, found.client.id) < (until, client.id) { continue }
            oldest = (client, until)
        }
        guard let oldest else { return false }
        absentCount -= 1
        remove(oldest.client)
        output.events.append(.left(id: oldest.client.id))
        return true
    }

    /// Forgets a client.
    mutating func remove(_ client: Client) {
        leaveRoom(client)
        clients[client.id] = nil
        keptBytes -= client.kept.byteCount
        client.kept.removeAll()
    }

    /// Takes a client out of its room; one without members is forgotten.
    private mutating func leaveRoom(_ client: Client) {
        guard let room = client.room else { return }
        room.remove(client)
        client.room = nil
        if room.members.isEmpty { rooms[room.name] = nil }
    }

    /// A channel is gone. A client that can come back keeps its id and its place for a while.
    mutating func drop(_ connection: HubConnection, _ now: Timestamp, _ output: inout Output) {
        guard let client = connections.removeValue(forKey: connection) else { return }
        let isKept = client.isResumable && client.room != nil
        if isKept {
            let deadline = now + limits.absentTime
            client.presence = .absent(until: deadline)
            client.unwritable = nil
            client.firstMissed = client.kept.next
            absentCount += 1
            schedule(deadline)
        } else {
            remove(client)
        }
        output.events.append(.dropped(connection, id: client.id, kept: isKept))
    }

    /// Closes a connection for a reason of the hub's, and says so before.
    mutating func close(
        _ connection: HubConnection, _ reason: CloseReason, _ now: Timestamp, _ output: inout Output
    ) {
        farewell(connection, reason, &output)
        drop(connection, now, &output)
    }

    /// Tells the client why, and closes.
    func farewell(_ connection: HubConnection, _ reason: CloseReason, _ output: inout Output) {
        let start = output.bytes.count
        output.write(#"{"t":"closed","reason":""#)
        output.write(reason.rawValue)
        output.write(#"","message":""#)
        output.write(reason.message)
        output.write("\"}")
        output.actions.append(.send(connection, start..<output.bytes.count))
        output.actions.append(.close(connection, reason))
        output.events.append(.closed(connection, reason))
    }

    /// The transport takes no more, or takes it again.
    mutating func setWritable(_ isWritable: Bool, _ connection: HubConnection, _ now: Timestamp) {
        guard let client = connections[connection] else { return }
        if isWritable {
            client.unwritable = nil
        } else if client.unwritable == nil {
            client.unwritable = (now, 0)
            schedule(now + limits.slowReaderTime)
        }
    }

    /// A message is lost. A client that numbers them comes back for what is kept; others have to do without it.
    mutating func noteLoss(on connection: HubConnection, _ now: Timestamp, _ output: inout Output) {
        guard let client = connections[connection] else { return }
        counters.drop(.slowReader)
        if client.isResumable { close(connection, .slowReader, now, &output) }
    }

    // MARK: Rooms

    /// Puts a client into a room.
    /// - Parameters:
    ///   - resume: the token it shows, nil for a client that does not come back.
    ///   - last: the number of the last message it has.
    mutating func join(
        _ client: Client, room name: String, resume: String?, last: UInt64?, _ output: inout Output
    ) {
        guard let connection = client.connection else { return }
        if let refusal = refusal(of: client, room: name, resume: resume) {
            leaveRoom(client)
            counters.refuse(refusal)
            output.events.append(.refused(connection, id: client.id, refusal))
            let start = output.bytes.count
            output.write(#"{"t":"refused","reason":""#)
            output.write(refusal.rawValue)
            output.write(#"","message":""#)
            output.write(refusal.message)
            output.write("\"}")
            output.actions.append(.send(connection, start..<output.bytes.count))
            return
        }
        guard let resume else { return enter(client, name) }
        let former = tokens.verify(resume).flatMap { $0 == client.id ? nil : $0 }
        let missed = former.flatMap { takeOver($0, by: client, room: name, &output) }
        enter(client, name)
        client.isResumable = true
        // Of who is not known any more nothing is kept: it is told of a gap, and no number means two messages.
        if let last, former != nil, missed == nil, last < limits.lastNumber {
            keptBytes += trim(client) { $0.skip(through: last + 1) }
        } else if let last, last < client.kept.next {
            keptBytes += trim(client) { $0.remove(through: last) }
        } else if let missed {
            // A page that was loaded anew knows no number: it gets what came while it was away.
            keptBytes += trim(client) { $0.remove(through: missed &- 1) }
        }
        // On the connection it had before, whatever is kept is on its way already.
        guard let former else { return sendID(to: client, next: client.kept.next, &output) }
        counters.resumed += 1
        output.events.append(.resumed(connection, id: former))
        sendID(to: client, next: client.kept.first, &output)
        client.kept.forEach { message in
            let start = output.bytes.count
            output.bytes.append(contentsOf: message)
            output.actions.append(.send(connection, start..<output.bytes.count))
        }
    }

    private func refusal(of client: Client, room name: String, resume: String?) -> Refusal? {
        if retiredNames.contains(name) { return .rotated }
        guard client.room?.name != name, !name.isEmpty else { return nil }
        guard let room = rooms[name] else { return rooms.count < limits.rooms ? nil : .full }
        if room.members.count < limits.members { return nil }
        // Whoever comes back takes its own place.
        let former = resume.flatMap { tokens.verify($0) }
        return room.members.contains { $0.id == former } ? nil : .full
    }

    private mutating func enter(_ client: Client, _ name: String) {
        guard client.room?.name != name else { return }
        leaveRoom(client)
        let room: Room
        if name.isEmpty {
            room = lobby
        } else if let found = rooms[name] {
            room = found
        } else {
            room = Room(name: name)
            rooms[name] = room
        }
        room.insert(client)
        client.room = room
    }

    /// Gives a client the id it had, from whoever holds it: the same client before, on a connection that is lost or
    /// still looks alive.
    /// - Returns: the number of the first message it missed; nil when nothing is known of it any more.
    private mutating func takeOver(
        _ id: Int64, by client: Client, room: String, _ output: inout Output
    ) -> UInt64? {
        var missed: UInt64?
        let former = clients[id]
        if let former {
            switch former.presence {
            case .present(let old):
                // The old channel hears of it if it still lives; what was sent on it last may not have arrived.
                farewell(old, .replaced, &output)
                connections[old] = nil
                missed = former.kept.next
            case .absent:
                absentCount -= 1
                missed = former.firstMissed
            }
        }
        leaveRoom(client)
        clients[client.id] = nil
        if let former {
            // Messages of one room are none of another's.
            if former.room?.name == room {
                swap(&client.kept, &former.kept)
                client.isResumable = former.isResumable
            } else {
                missed = nil
            }
            remove(former)
        }
        client.rename(to: id)
        clients[id] = client
        // Of a box that has lost its count, not its key.
        if id > lastID { advance(to: id, &output) }
        return missed
    }

    /// Changes what is kept for a client, and returns by how much it grew.
    func trim(_ client: Client, _ change: (inout KeptMessages) -> Void) -> Int {
        let before = client.kept.byteCount
        change(&client.kept)
        return client.kept.byteCount - before
    }

    /// The secret of the room was changed: everyone out of the former one.
    mutating func retire(_ secret: String, _ output: inout Output) {
        guard !secret.isEmpty, !retired.contains(secret) else { return }
        retired.append(secret)
        if retired.count > limits.retired { retired.removeFirst() }
        let names: Set = [secret, RoomName.asPageSays(secret)]
        for client in names.compactMap({ rooms[$0] }).flatMap(\.members) {
            switch client.presence {
            case .present(let connection):
                farewell(connection, .rotated, &output)
                connections[connection] = nil
            case .absent:
                absentCount -= 1
                output.events.append(.left(id: client.id))
            }
            remove(client)
        }
    }
}
