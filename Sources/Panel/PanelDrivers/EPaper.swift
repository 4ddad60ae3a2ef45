public import Raster
public import SansIO

/// A controller chip of an e-paper: what one refresh takes of it.
///
/// Each refresh is one program that needs nothing from the one before: reset, set-up, planes, refresh, deep sleep. Without
/// voltage the ink keeps its place, and the makers forbid to leave the voltage on; the planes are sent in a fraction of
/// the time that the ink takes.
public protocol EPaperChip: Sendable {
    /// The size and the colours of the glass, the way it is wired.
    var format: PictureFormat { get }
    /// What the bus may not exceed when writing, in hertz.
    var maximumClock: UInt32 { get }

    /// What brings a picture onto the glass, from the reset to the deep sleep.
    /// - Parameters:
    ///   - picture: what is to be seen.
    ///   - old: what is seen now, for a partial refresh, which only two colours have; nil for a full one.
    func program(showing picture: Picture, over old: Picture?) -> [PanelOperation]
}

/// An e-paper: shows pictures as often as is good for it.
///
/// A picture that a person waits for comes at once, every other as soon as `RefreshPolicy` allows it. What the glass shows
/// already needs no refresh, also where another process has shown it. A panel that does not answer is tried again, with
/// pauses that grow.
public struct EPaper: PanelController {
    private struct Refresh: Sendable {
        let picture: Picture
        let kind: RefreshPolicy.Kind
        /// Whether it does not only renew what is seen.
        let isNew: Bool
        let isAwaited: Bool
    }

    private enum State: Sendable {
        /// Not started, or stopped.
        case off
        /// The chip sleeps.
        case resting
        /// A program is being carried out.
        case refreshing(Refresh)
        /// The panel failed; it is tried again.
        case broken(since: Timestamp, until: Timestamp)
    }

    private struct Wanted: Sendable {
        let picture: Picture
        let isAwaited: Bool
        /// Whether it was tried since somebody began to wait.
        var hasFailed = false
    }

    private let chip: any EPaperChip
    private var policy: RefreshPolicy
    private var state = State.off
    /// What the glass shows for certain.
    private var shown: Picture?
    /// The fingerprint of what the process before has shown.
    private var recalled: UInt64?
    /// What is to be shown next.
    private var wanted: Wanted?
    private var isStopping = false
    /// The failure that was told; nil while the panel works.
    private var trouble: PanelFailure?
    /// Each trial begins with a reset, which takes the voltage off a glass whose refresh did not end. The longest wait is
    /// that between refreshes: a panel that fails behind the refresh is then not refreshed too often.
    private var retry = RetrySchedule(first: Self.firstWait, longest: RefreshPolicy.fullInterval)
    /// How long a panel that failed is left alone, even where a person waits.
    private static let firstWait: Duration = .seconds(5)

    /// Makes the controller of an e-paper.
    public init(_ chip: any EPaperChip) {
        self.chip = chip
        policy = RefreshPolicy(hasPartial: chip.format.depth == .mono)
    }

    /// The size and the colours of the glass, the way it is wired.
    public var format: PictureFormat { chip.format }

    /// What the bus may not exceed when writing, in hertz.
    public var maximumClock: UInt32 { chip.maximumClock }

    /// Takes one input.
    public mutating func handle(
        _ input: borrowing PanelInput, at now: Timestamp, into output: inout PanelOutput
    ) -> Timestamp? {
        switch copy input {
        case .remember(let memory): recall(memory, at: now)
        case .start: start()
        case .show(let picture, let isAwaited): show(picture, isAwaited: isAwaited, into: &output)
        case .finished: finished(at: now, into: &output)
        case .failed(let failure): failed(failure, at: now, into: &output)
        case .wake: break
        case .stop: stop(into: &output)
        }
        return advance(at: now, into: &output)
    }

    private mutating func recall(_ memory: GlassMemory, at now: Timestamp) {
        guard case .off = state else { return }
        policy.recall(memory, at: now)
        recalled = memory.picture
    }

    private mutating func start() {
        guard case .off = state else { return }
        // Another glass may hang there now; how often the ink was moved is still to be counted.
        shown = nil
        trouble = nil
        isStopping = false
        state = .resting
        if let next = wanted { recognise(next.picture) }
    }

    /// Whether the process before has shown this.
    private mutating func recognise(_ picture: Picture) {
        guard case .resting = state, shown == nil, let recalled, picture.fingerprint == recalled else { return }
        shown = picture
    }

    private mutating func show(_ picture: Picture, isAwaited: Bool, into output: inout PanelOutput) {
        guard picture.format == format else { return assertionFailure("a picture of another format") }
        recognise(picture)
        switch state {
        case .resting where shown == picture:
            wanted = nil
            output.events.append(.shown)
        case .refreshing(let refresh) where refresh.isNew && refresh.picture == picture:
            wanted = nil
        case .off, .resting, .refreshing, .broken:
            // Somebody who waits for the picture before this one waits for this one.
            wanted = Wanted(
                picture: picture, isAwaited: isAwaited || wanted?.isAwaited == true,
                hasFailed: !isAwaited && wanted?.hasFailed == true)
        }
    }

    private mutating func finished(at now: Timestamp, into output: inout PanelOutput) {
        guard case .refreshing(let refresh) = state else { return }
        state = .resting
        shown = refresh.picture
        policy.refreshed(refresh.kind, at: now)
        output.events.append(.remember(policy.memory(picture: refresh.picture.fingerprint)))
        if trouble != nil {
            trouble = nil
            output.events.append(.recovered)
        }
        if let next = wanted, next.picture == shown {
            wanted = nil
            output.events.append(.shown)
        } else if refresh.isNew, wanted == nil {
            output.events.append(.shown)
        }
    }

    private mutating func failed(_ failure: PanelFailure, at now: Timestamp, into output: inout PanelOutput) {
        guard case .refreshing(let refresh) = state else { return }
        if trouble != failure { output.events.append(.trouble(failure)) }
        trouble = failure
        // The picture may be half there.
        shown = nil
        if wanted == nil {
            wanted = Wanted(picture: refresh.picture, isAwaited: refresh.isAwaited, hasFailed: true)
        }
        state = .broken(since: now, until: retry.failed(at: now))
    }

    private mutating func stop(into output: inout PanelOutput) {
        isStopping = true
        if case .off = state { output.events.append(.stopped) }
    }

    /// Begins what is due.
    private mutating func advance(at now: Timestamp, into output: inout PanelOutput) -> Timestamp? {
        switch state {
        case .off, .refreshing: return nil
        case .broken(let since, let until):
            if isStopping { return rest(into: &output) }
            guard let next = wanted else { return until }
            let due = max(next.isAwaited && !next.hasFailed ? since + Self.firstWait : until, allowed(next, at: now))
            return due <= now ? begin(next.picture, isNew: true, at: now, into: &output) : due
        case .resting: break
        }
        if let next = wanted {
            if next.picture == shown {
                // It came before the start.
                wanted = nil
                output.events.append(.shown)
                return advance(at: now, into: &output)
            }
            let due = allowed(next, at: now)
            if due <= now { return begin(next.picture, isNew: true, at: now, into: &output) }
            return isStopping ? rest(into: &output) : due
        }
        guard let picture = shown, let due = policy.upkeep else { return isStopping ? rest(into: &output) : nil }
        if isStopping {
            // What stays for weeks is to stay without traces.
            guard policy.hasTraces, policy.allowed(.full, isAwaited: true, isLast: true) <= now else {
                return rest(into: &output)
            }
        } else if due > now {
            return due
        }
        return begin(picture, isNew: false, at: now, into: &output)
    }

    private func allowed(_ next: Wanted, at now: Timestamp) -> Timestamp {
        policy.allowed(policy.kind(known: shown != nil, at: now), isAwaited: next.isAwaited, isLast: isStopping)
    }

    private mutating func begin(
        _ picture: Picture, isNew: Bool, at now: Timestamp, into output: inout PanelOutput
    ) -> Timestamp? {
        let kind = isNew ? policy.kind(known: shown != nil, at: now) : .full
        output.program = chip.program(showing: picture, over: kind == .partial ? shown : nil)
        state = .refreshing(
            Refresh(picture: picture, kind: kind, isNew: isNew, isAwaited: wanted?.isAwaited == true))
        // Should this process not see the end of it, nobody knows what the glass shows.
        recalled = nil
        output.events.append(.remember(policy.memory(picture: nil, began: kind == .full ? now : nil)))
        wanted = nil
        return nil
    }

    /// Ends; the picture stays.
    private mutating func rest(into output: inout PanelOutput) -> Timestamp? {
        state = .off
        isStopping = false
        wanted = nil
        output.events.append(.stopped)
        return nil
    }
}
