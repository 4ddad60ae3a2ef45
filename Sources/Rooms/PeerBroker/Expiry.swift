import SansIO

// What time alone brings about: PeerServer's `checkBrokenConnections` and `messagesExpire`, pings, and the room's
// own times.
extension PeerBroker {
    /// Does everything whose time has come, and finds when there is something to do next.
    mutating func expire(_ now: Timestamp, _ output: inout Output) {
        /// What there is to do with a connection.
        enum Due {
            case ping
            case slowReader
            case close(reason: String)
        }
        if let wake, now - wake >= limits.pongTime { excuse(now) }
        wake = nil
        var due: [(ConnectionID, Due)] = []
        for (connection, state) in connections {
            if let reason = overdue(state, now) {
                due.append((connection, .close(reason: reason)))
            } else if let unwritable = state.unwritable, unwritable.since + limits.slowReaderTime <= now {
                due.append((connection, .slowReader))
            } else if state.nextPing <= now, !state.isWaiting {
                due.append((connection, .ping))
            }
        }
        // In the connections' order, so that the same inputs always give the same outputs.
        for (connection, task) in due.sorted(by: { $0.0 < $1.0 }) {
            switch task {
            case .ping:
                connections[connection]?.nextPing = now + limits.pingInterval
                if connections[connection]?.pingedAt == nil { connections[connection]?.pingedAt = now }
                output.actions.append(.ping(connection))
            case .slowReader: closeSlowReader(connection, now, &output)
            case .close(let reason):
                close(connection, .unresponsive, reason: reason, because: .unresponsive, now, &output)
            }
        }
        let (count, pairs) = queues.expire(at: now)
        counters.drop(.expired, count: count)
        for (sender, destination) in pairs {
            sendNotice(.expire(source: destination, destination: sender), now, &output)
        }
        for id in room.removeAway(at: now) {
            output.events.append(.left(id: id))
            rosterChanged(now)
        }
        for state in connections.values {
            if let deadline = nextDeadline(of: state) { schedule(deadline) }
        }
        if let deadline = queues.nextDeadline { schedule(deadline) }
        if let deadline = room.nextDeadline(after: now) { schedule(deadline) }
    }

    /// The box itself was stalled: answers may wait to be read, so everyone of whom one is wanted gets time for it anew.
    private mutating func excuse(_ now: Timestamp) {
        for connection in Array(connections.keys) {
            guard let state = connections[connection] else { continue }
            if state.pingedAt != nil { connections[connection]?.pingedAt = now }
            switch state.role {
            case .probed: connections[connection]?.role = .probed(until: now + limits.probeTime)
            case .holder, .waiting: break
            }
        }
    }

    /// Why a connection is to be taken for dead, or nil.
    private func overdue(_ state: Connection, _ now: Timestamp) -> String? {
        switch state.role {
        // A connection that waits does so for no longer than its holder's probe.
        case .waiting: return nil
        case .probed(let deadline) where deadline <= now: return "no answer to a ping"
        case .probed, .holder: break
        }
        if let deadline = state.deadline(limits), deadline <= now { return "no answer to pings" }
        if state.lastFrame + limits.silenceTime <= now { return "nothing was said for too long" }
        return nil
    }

    /// When `expire` has something to do with a connection, if nothing is heard of it before.
    private func nextDeadline(of state: Connection) -> Timestamp? {
        var deadline = min(state.nextPing, state.lastFrame + limits.silenceTime)
        if let dead = state.deadline(limits) { deadline = min(deadline, dead) }
        if let unwritable = state.unwritable { deadline = min(deadline, unwritable.since + limits.slowReaderTime) }
        switch state.role {
        case .probed(let probe): return min(deadline, probe)
        case .holder: return deadline
        // Its own times count from when it gets its id.
        case .waiting: return state.unwritable.map { $0.since + limits.slowReaderTime }
        }
    }
}
