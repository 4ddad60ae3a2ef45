import SansIO

/// When an e-paper may be refreshed, and how: its ink is moved by force, and too much of that, or too little, spoils it.
///
/// The numbers are the makers': none of them stands in a controller's datasheet, whose only rule is BUSY. They are advice for
/// a long life, so what a person waits for (new codes, a countdown, the end) is not held back by them.
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
    private var lastFull: Timestamp?
    private var last: Timestamp?

    init(hasPartial: Bool) {
        self.hasPartial = hasPartial
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

    /// When a refresh that nobody waits for may begin.
    func allowed(_ kind: Kind) -> Timestamp {
        guard let last, let lastFull else { return .zero }
        let paced = hasPartial ? last + Self.partialInterval : last
        return kind == .partial ? paced : max(paced, lastFull + Self.fullInterval)
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
            lastFull = now
        case .partial: partials += 1
        }
    }
}
