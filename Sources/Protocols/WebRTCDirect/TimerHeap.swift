import SansIO

/// When each peer wants to be called: a binary heap with one entry for each, found again by its place.
///
/// Deadlines mostly move later, with each packet. An entry then stays where it is; when its time comes, it is put where it
/// belongs. So a packet costs no work here, and a peer no timer object.
struct TimerHeap {
    private struct Entry {
        var time: Timestamp
        let peer: Peer
    }

    private var entries: [Entry] = []

    /// How many peers have an entry.
    var count: Int { entries.count }

    /// When the first entry's time comes; it may prove early.
    var next: Timestamp? { entries.first?.time }

    /// Sees to it that a peer comes up at its ``Peer/deadline`` at the latest.
    mutating func update(_ peer: Peer) {
        let place = peer.timerPlace
        if place < 0 {
            peer.timerPlace = entries.count
            entries.append(Entry(time: peer.deadline, peer: peer))
            rise(from: entries.count - 1)
        } else if peer.deadline < entries[place].time {
            entries[place].time = peer.deadline
            rise(from: place)
        }
    }

    /// The next peer whose deadline has come; it keeps its entry, so its deadline must be changed or the peer removed.
    mutating func due(at now: Timestamp) -> Peer? {
        while let first = entries.first, first.time <= now {
            if first.peer.deadline <= now { return first.peer }
            entries[0].time = first.peer.deadline
            sink(from: 0)
        }
        return nil
    }

    /// Forgets a peer.
    mutating func remove(_ peer: Peer) {
        let place = peer.timerPlace
        guard place >= 0 else { return }
        peer.timerPlace = -1
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        last.peer.timerPlace = place
        rise(from: place)
        sink(from: last.peer.timerPlace)
    }

    private mutating func rise(from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard entries[place].time < entries[parent].time else { break }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func sink(from start: Int) {
        var place = start
        while true {
            var first = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count {
                if entries[child].time < entries[first].time { first = child }
            }
            guard first != place else { break }
            exchange(place, first)
            place = first
        }
    }

    private mutating func exchange(_ lhs: Int, _ rhs: Int) {
        entries.swapAt(lhs, rhs)
        entries[lhs].peer.timerPlace = lhs
        entries[rhs].peer.timerPlace = rhs
    }
}
