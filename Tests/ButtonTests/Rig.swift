import Button
import SansIO
import TestSupport

func milliseconds(_ count: Int) -> Timestamp { Timestamp(nanoseconds: UInt64(count) * 1_000_000) }

/// A line that is moved by a script, the kernel's queue of edges, and the event loop of a shell, in virtual time.
struct Rig {
    private struct Change {
        let time: Timestamp
        let isPressed: Bool
        let isTold: Bool
    }

    var button = Button()
    var random: SeededGenerator
    private(set) var events: [ButtonEvent] = []
    private(set) var deadline: Timestamp?
    private(set) var wakes = 0
    private var changes: [Change] = []
    private var level: Bool
    private var now = Timestamp.zero
    /// Up to how late the loop is, and up to how late the kernel looks at the level.
    private let lateness: UInt64

    /// A quick loop, or with a seed one that is up to 60 ms late each time.
    init(isPressed: Bool = false, seed: UInt64? = nil) {
        level = isPressed
        random = SeededGenerator(seed: seed ?? 0)
        lateness = seed == nil ? 0 : 60_000_000
        deadline = button.handle(.level(isPressed: isPressed), at: .zero, into: &events)
    }

    /// Moves the line at a time in milliseconds.
    mutating func set(_ isPressed: Bool, at time: Int, isTold: Bool = true) {
        changes.append(Change(time: milliseconds(time), isPressed: isPressed, isTold: isTold))
    }

    mutating func hold(from start: Int, to end: Int) {
        set(true, at: start)
        set(false, at: end)
    }

    /// A hold whose contacts bounce for up to 12 ms at either end; the kernel sees some edges late, as the level before.
    mutating func bouncingHold(from start: Int, to end: Int) {
        for (time, isPressed) in [(start, true), (end, false)] {
            var moment = milliseconds(time)
            let last = milliseconds(time + 12)
            var level = isPressed
            while true {
                let seen = Int.random(in: 0..<8, using: &random) == 0 ? !level : level
                changes.append(Change(time: moment, isPressed: seen, isTold: true))
                moment = moment + .microseconds(Int.random(in: 20...4000, using: &random))
                guard moment < last else { break }
                level.toggle()
            }
            changes.append(Change(time: last, isPressed: isPressed, isTold: true))
        }
    }

    /// Lets time pass until so many milliseconds.
    mutating func run(until end: Int) {
        let end = milliseconds(end)
        changes.sort { $0.time < $1.time }
        while true {
            let next = min(changes.first?.time ?? end, deadline ?? end)
            guard next < end || (changes.first.map { $0.time <= end } ?? false) else { break }
            let late = lateness == 0 ? 0 : UInt64.random(in: 0...lateness, using: &random)
            now = max(now, next) + .nanoseconds(Int64(late))
            deliver()
        }
        if let due = deadline, due <= end {
            now = max(now, end)
            deliver()
        }
        now = max(now, end)
    }

    /// What the loop does in one turn: first all edges that wait, then its timer.
    private mutating func deliver() {
        let count = changes.prefix { $0.time <= now }.count
        for change in changes.prefix(count) {
            level = change.isPressed
            guard change.isTold else { continue }
            deadline = button.handle(.edge(isPressed: change.isPressed, at: change.time), at: now, into: &events)
        }
        changes.removeFirst(count)
        if let due = deadline, due <= now {
            wakes += 1
            deadline = button.handle(.level(isPressed: level), at: now, into: &events)
        }
    }
}
