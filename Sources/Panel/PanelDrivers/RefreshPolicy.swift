import SansIO

/// When an e-paper may be refreshed, and how: its ink is moved by force, and too much of that, or too little, spoils it.
///
/// The numbers are the makers': none of them stands in a controller's datasheet, whose only rule is BUSY. They are advice for
/// a long life, so what a person waits for (new codes, a countdown, the end) is not held back by them one by one. On
/// average they always hold.
struct RefreshPolicy: Sendable {
    /// How a refresh moves the ink.
    enum Kind: Hashable, Sendable {
        /// Every pixel goes through black and white before it gets its colour; the glass flickers.
        case full
        /// Only pixels that change are driven, straight to their colour; each leaves a trace of what was there.
        case partial
    }

    /// The least time from one full refresh to the next that nobody waits for ("the refresh interval is at least 180s",
    /// Waveshare's manuals, precautions; "each update interval time should be minimum at 150 seconds to 180 seconds",
    /// specification of the 4.2inch e-Paper (B), 1.1, note 9-2).
    static let fullInterval: Duration = .seconds(180)
    /// Partial refreshes between two full ones ("after 5 partial refreshes, implement a full screen refresh to clear the
    /// ghosting", Good Display's example programs).
    static let partialLimit = 5
    /// The least time before a partial refresh that nobody waits for: spreads them over `fullInterval`, so that the full
    /// refresh behind them is due when it may be.
    static let partialInterval: Duration = .seconds(30)
    /// For how long the traces of partial refreshes may stay; then the glass is refreshed by itself.
    static let traceLimit: Duration = .seconds(3600)
    /// For how long a picture may stay ("refresh at least once every 24 hours", Waveshare's manuals, precautions).
    static let pictureLimit: Duration = .seconds(24 * 3600)

    /// Whether there are partial refreshes.
    let hasPartial: Bool
    private var partials = 0
    /// When the last full refreshes ended, oldest first.
    private var fulls: [Timestamp] = []
    private var last: Timestamp?
    private var lastFull: Timestamp? { fulls.last }

    init(hasPartial: Bool) {
        self.hasPartial = hasPartial
    }

    /// Full refreshes in the time of as many `fullInterval`: so many may follow each other without a pause. Three colours: a
    /// press of the button, another one, and a hold. Two colours take a fifth of that time and have partial ones between.
    var burst: Int { hasPartial ? 6 : 3 }

    /// Takes over from the process before. What lies ahead is no time of this clock.
    mutating func recall(_ memory: GlassMemory, at now: Timestamp) {
        fulls = memory.fullRefreshes.filter { $0 <= now }.suffix(burst + 1)
        partials = max(0, memory.partialRefreshes)
        last = fulls.last
    }

    /// What the next process has to know.
    /// - Parameters:
    ///   - picture: what the glass shows.
    ///   - began: when a full refresh began that has not ended.
    func memory(picture: UInt64?, began: Timestamp? = nil) -> GlassMemory {
        GlassMemory(picture: picture, fullRefreshes: fulls + (began.map { [$0] } ?? []), partialRefreshes: partials)
    }

    /// How the next picture is to come onto the glass.
    /// - Parameters:
    ///   - known: whether it is known what the glass shows.
    ///   - now: the present time.
    func kind(known: Bool, at now: Timestamp) -> Kind {
        guard hasPartial, known, partials < Self.partialLimit, let lastFull, now - lastFull < Self.traceLimit else {
            return .full
        }
        return .partial
    }

    /// When a refresh may begin.
    /// - Parameters:
    ///   - isAwaited: a person waits for it.
    ///   - isLast: nothing comes after it; there is always one more for that.
    func allowed(_ kind: Kind, isAwaited: Bool, isLast: Bool = false) -> Timestamp {
        guard let last, let lastFull else { return .zero }
        var due = isAwaited || isLast || !hasPartial ? Timestamp.zero : last + Self.partialInterval
        guard kind == .full else { return due }
        if !isAwaited, !isLast { due = max(due, lastFull + Self.fullInterval) }
        let count = burst + (isLast ? 1 : 0)
        return fulls.dropLast(count - 1).last.map { max(due, $0 + Self.fullInterval * count) } ?? due
    }

    /// When the glass is to be refreshed though nothing new is to be seen; nil before the first picture.
    var upkeep: Timestamp? {
        lastFull.map { $0 + (hasTraces ? Self.traceLimit : Self.pictureLimit) }
    }

    /// Whether there are traces of former pictures.
    var hasTraces: Bool { partials > 0 }

    /// Takes note of a refresh that ended.
    mutating func refreshed(_ kind: Kind, at now: Timestamp) {
        last = now
        switch kind {
        case .full:
            partials = 0
            fulls = (fulls + [now]).suffix(burst + 1)
        case .partial: partials += 1
        }
    }
}
