import SansIO

/// What is due, the earliest first; of things due together the one added first.
struct Agenda<Event> {
    private var entries: [(time: Timestamp, order: Int, event: Event)] = []
    private var count = 0

    var next: Timestamp? { entries.first?.time }

    mutating func add(_ event: Event, at time: Timestamp) {
        count += 1
        entries.append((time, count, event))
        var place = entries.count - 1
        while place > 0, isBefore(place, (place - 1) / 2) {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeFirst() -> Event {
        entries.swapAt(0, entries.count - 1)
        let first = entries.removeLast()
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count && isBefore(child, least) {
                least = child
            }
            guard least != place else { return first.event }
            entries.swapAt(place, least)
            place = least
        }
    }

    private func isBefore(_ lhs: Int, _ rhs: Int) -> Bool {
        (entries[lhs].time, entries[lhs].order) < (entries[rhs].time, entries[rhs].order)
    }
}
