public import SansIO

/// What a button is told.
public enum ButtonInput: Equatable, Sendable {
    /// The line changed: to pressed or not, and when the kernel saw it (monotonic).
    case edge(isPressed: Bool, at: Timestamp)
    /// Edges were lost: nobody knows for how long it is held.
    case lostEdges
    /// The line was read. At the start, and when the time has come that was asked for: an edge may have been lost.
    case level(isPressed: Bool)
    /// The line cannot be read: whatever it was, nothing comes of it. The next input is `.level`, of the line that was found anew.
    case unreadable
}

/// Makes a line that bounces into what a person wants.
///
/// A level counts when it has lasted for `debounce`. Held for `countdown`, the box says what will happen; let go before
/// `shutDown`, nothing does; later, it shuts down, and at `reset` everything is reset without waiting for the release.
/// What a person could not see coming does not happen: if the shell was late and a second of the countdown was not told
/// in time, that second is counted again.
///
/// A line that is held from the start, or for longer than `stuck`, does nothing until it is let go.
public struct Button: Sendable {
    /// What a level must last to count. Tact switches bounce for up to 10 ms, worn ones for 20.
    public static let debounce = Duration.milliseconds(25)
    /// Held so long, the countdown begins, and it is no press any more.
    public static let countdown = 1
    /// Seconds held until letting go shuts the box down.
    public static let shutDown = 3
    /// Seconds held until the factory reset.
    public static let reset = 10
    /// Held so long, it is no person.
    public static let stuck = Duration.seconds(30)
    /// After a press, another one is the same wish: a double click does not change the codes twice.
    public static let pause = Duration.seconds(3)
    /// How late a second of the countdown may be told and still count.
    public static let lateness = Duration.milliseconds(500)

    private enum State {
        /// Not held, or not since it was known; a press that begins before `quietUntil` is no press.
        case released(quietUntil: Timestamp)
        /// Held since then; that many seconds were told.
        case held(since: Timestamp, told: Int, quietUntil: Timestamp)
        /// Held, and nothing comes of it; when it is told that it is stuck.
        case ignored(stuckAt: Timestamp?)
        /// The same after it was told that it is stuck.
        case stuck
    }

    private var state = State.ignored(stuckAt: nil)
    /// The line's last level; nil: not known.
    private var level: Bool?
    /// Since when it has been so.
    private var levelSince = Timestamp.zero
    /// Time does not go back.
    private var latest = Timestamp.zero

    /// Makes a button of which nothing is known yet; its first input is `.level`.
    public init() {}

    /// Takes one input.
    /// - Parameters:
    ///   - input: what the line did.
    ///   - now: the present time.
    ///   - events: what the person did is appended here.
    /// - Returns: when to read the line and call again with `.level`, or nil; replaces the answer before.
    public mutating func handle(
        _ input: ButtonInput, at now: Timestamp, into events: inout [ButtonEvent]
    ) -> Timestamp? {
        switch input {
        case .edge(let isPressed, let time):
            // By the kernel's time: what lasted, lasted, however late it is read. Nothing is decided by `now`, for
            // further edges may wait.
            advance(to: min(time, now), into: &events)
            change(to: isPressed)
        case .lostEdges:
            latest = max(latest, now)
            if !isSettled { levelSince = latest }
            guard case .held(_, let told, let quietUntil) = state else { break }
            if told == 0 {
                state = .held(since: latest, told: 0, quietUntil: quietUntil)
            } else {
                events.append(.cancelled)
                state = .ignored(stuckAt: latest + Self.stuck)
            }
        case .level(let isPressed):
            if level == nil {
                latest = max(latest, now)
                start(isPressed)
            } else if isPressed != level {
                // An edge was lost. It was at some time until now.
                advance(to: latest, into: &events)
                latest = max(latest, now)
                change(to: isPressed)
            } else {
                advance(to: now, into: &events)
            }
        case .unreadable:
            if case .held(_, let told, _) = state, told > 0 { events.append(.cancelled) }
            state = .ignored(stuckAt: nil)
            level = nil
        }
        return deadline
    }

    private mutating func start(_ isPressed: Bool) {
        level = isPressed
        levelSince = latest
        state = isPressed ? .ignored(stuckAt: latest + Self.stuck) : .released(quietUntil: latest)
    }

    private mutating func change(to isPressed: Bool) {
        // The same level twice: the line was something else for less than the kernel takes to look. A bounce.
        guard isPressed != level || !isSettled else { return }
        level = isPressed
        levelSince = latest
    }

    /// Whether the line is at the level that counts.
    private var isSettled: Bool {
        switch state {
        case .released: level == false
        case .held: level == true
        case .ignored, .stuck: level != false
        }
    }

    private var deadline: Timestamp? {
        guard level != nil else { return nil }
        guard isSettled else { return levelSince + Self.debounce }
        switch state {
        case .released: return nil
        case .held(let since, let told, _): return since + .seconds(told + 1)
        case .ignored(let stuckAt): return stuckAt
        case .stuck: return nil
        }
    }

    /// Lets time pass; the line is known to have been at its level until then.
    private mutating func advance(to time: Timestamp, into events: inout [ButtonEvent]) {
        latest = max(latest, time)
        while let due = deadline, due <= latest {
            if isSettled {
                pass(due, into: &events)
            } else {
                settle(into: &events)
            }
        }
    }

    /// The line has been at its level for long enough.
    private mutating func settle(into events: inout [ButtonEvent]) {
        switch state {
        case .released(let quietUntil):
            state = .held(since: levelSince, told: 0, quietUntil: quietUntil)
        case .held(let since, let told, let quietUntil):
            var nextQuiet = quietUntil
            if told >= Self.shutDown {
                events.append(.shutDown)
            } else if told >= Self.countdown {
                events.append(.cancelled)
            } else if since >= quietUntil {
                events.append(.pressed)
                nextQuiet = levelSince + Self.pause
            }
            state = .released(quietUntil: nextQuiet)
        case .ignored:
            state = .released(quietUntil: latest)
        case .stuck:
            events.append(.released)
            state = .released(quietUntil: latest)
        }
    }

    /// What was to be told at `due` is told.
    private mutating func pass(_ due: Timestamp, into events: inout [ButtonEvent]) {
        switch state {
        case .released, .stuck:
            break
        case .held(var since, let told, let quietUntil):
            if due + Self.lateness < latest { since = since + (latest - due) }
            let seconds = told + 1
            state = .held(since: since, told: seconds, quietUntil: quietUntil)
            if seconds >= Self.reset {
                events.append(.factoryReset)
                state = .ignored(stuckAt: since + Self.stuck)
            } else if seconds >= Self.shutDown {
                events.append(.holdingOn(resetIn: Self.reset - seconds))
            } else if seconds >= Self.countdown {
                events.append(.holding(shutDownIn: Self.shutDown - seconds))
            }
        case .ignored:
            events.append(.stuck)
            state = .stuck
        }
    }
}
