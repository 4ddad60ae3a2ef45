import PanelDrivers
public import Raster
public import SansIO

/// What all e-papers have in common: reset, BUSY, sleep, and refreshes that take their time.
public struct EPaperCircuit: Sendable {
    /// A refresh that the panel made.
    public struct Refresh: Hashable, Sendable {
        /// Whether pixels that did not change were left alone.
        public let isPartial: Bool
        /// When it began.
        public let began: Timestamp
        /// When BUSY was let go.
        public let ended: Timestamp
    }

    /// What was done against the datasheet, oldest first, each with its time.
    public internal(set) var violations: [String] = []
    /// The refreshes, oldest first.
    public internal(set) var refreshes: [Refresh] = []
    /// The least time from the end of one full refresh to the next that nobody waits for; none by itself, as the panel can't
    /// know who waits.
    public var leastInterval = Duration.zero
    /// Full refreshes that may follow each other, whoever waits, if no more come in 180 s for each of them; and one more for
    /// the end, in as much more time. On average it is one in 180 s.
    public var fullRefreshesInARow: Int
    /// Partial refreshes that may follow each other.
    public var partialLimit = 5
    /// BUSY is held for ever, and nothing is understood: the panel is broken or not there.
    public var isStuck = false
    /// Whether it is in deep sleep, or got its power just now: only a reset wakes it.
    public internal(set) var isAsleep = true
    /// How much longer than usual refreshes take: cold.
    public var slowness = 1

    private var forgivenUntil: Timestamp?
    private var glass: EPaperGlass
    private var coming: (glass: EPaperGlass, at: Timestamp)?
    /// When the command came that keeps it busy: it takes nothing from then on, though BUSY itself may come later.
    private var busySince = Timestamp.zero
    private var busyFrom = Timestamp.zero
    private var busyUntil = Timestamp.zero
    private var resetSince: Timestamp?
    private var partials = 0

    init(_ format: PictureFormat) {
        glass = EPaperGlass(format)
        // Three colours: 15 s each; two: 2 to 4 s.
        fullRefreshesInARow = format.depth == .mono ? 6 : 3
    }

    /// Leaves the refreshes so far uncounted: a driver that was told of a failure can't know whether the ink was moved.
    public mutating func forgive(at now: Timestamp) { forgivenUntil = now }

    mutating func violation(_ text: String, at now: Timestamp) {
        violations.append("\(Double(now.nanoseconds / 1000) / 1e6) s: \(text)")
    }

    /// Takes what is not a transfer.
    /// - Returns: whether a hardware reset ended.
    mutating func line(_ operation: PanelOperation, at now: Timestamp) -> Bool {
        guard case .reset(let isHeld) = operation, !isStuck else { return false }
        if isHeld {
            resetSince = resetSince ?? now
            if let coming, now < coming.at {
                glass = coming.glass.torn(before: glass)
                self.coming = nil
                let cut = refreshes.removeLast()
                refreshes.append(Refresh(isPartial: cut.isPartial, began: cut.began, ended: now))
            }
            return false
        }
        guard let since = resetSince else { return false }
        resetSince = nil
        // 50 µs with UltraChip, 10 µs with Solomon Systech.
        guard now - since >= .microseconds(50) else {
            violation("RESET held for less than 50 µs", at: now)
            return false
        }
        isAsleep = false
        busy(since: now, from: now, for: .milliseconds(15))
        return true
    }

    /// Whether a transfer may be taken.
    mutating func accepts(at now: Timestamp) -> Bool {
        if isStuck { return false }
        if let coming, now >= coming.at {
            glass = coming.glass
            self.coming = nil
        }
        if resetSince != nil {
            violation("transfer while RESET is held", at: now)
        } else if isAsleep {
            violation("transfer in deep sleep", at: now)
        } else if now > busySince, now < busyUntil {
            violation("transfer while BUSY", at: now)
        } else {
            return true
        }
        return false
    }

    mutating func busy(since: Timestamp, from: Timestamp, for duration: Duration) {
        busySince = since
        busyFrom = from
        busyUntil = from + duration
    }

    /// When BUSY is let go.
    func ready(at now: Timestamp) -> Timestamp? {
        if isStuck || isAsleep { return nil }
        return now >= busyFrom ? max(now, busyUntil) : now
    }

    /// Moves the ink.
    mutating func refresh(
        isPartial: Bool, since: Timestamp, from: Timestamp, for usual: Duration, effects: [EPaperGlass.Effect],
        border: EPaperGlass.Effect,
        code: (_ x: Int, _ y: Int) -> Int?
    ) {
        let duration = usual * slowness
        if let last = refreshes.last(where: { !$0.isPartial })?.ended, !isPartial, from - last < leastInterval {
            violation("refresh too soon: \(from - last) behind the last", at: from)
        }
        let fulls = refreshes.filter { !$0.isPartial && $0.began > (forgivenUntil ?? .zero) }
        func isAllowed(_ count: Int) -> Bool {
            fulls.count < count || from - fulls[fulls.count - count].ended >= .seconds(180) * count
        }
        if !isPartial, !isAllowed(fullRefreshesInARow), !isAllowed(fullRefreshesInARow + 1) {
            violation("more than one full refresh in 180 s on average", at: from)
        }
        partials = isPartial ? partials + 1 : 0
        if partials > partialLimit { violation("\(partials) partial refreshes without a full one", at: from) }
        var next = glass
        next.refresh(effects, border: border, code: code)
        if next.greyPixels > 0 { violation("\(next.greyPixels) pixels are neither black nor white", at: from) }
        if next.spoiltPixels > 0 { violation("\(next.spoiltPixels) pixels got more of one voltage", at: from) }
        busy(since: since, from: from, for: duration)
        coming = (next, from + duration)
        refreshes.append(Refresh(isPartial: isPartial, began: from, ended: from + duration))
    }

    /// The glass as it is.
    func glass(at now: Timestamp) -> EPaperGlass {
        if let coming, now >= coming.at { return coming.glass }
        return glass
    }
}

/// A simulated e-paper.
public protocol SimulatedEPaper: SimulatedPanel {
    /// Its circuit.
    var circuit: EPaperCircuit { get set }
}

extension SimulatedEPaper {
    /// What was done against the datasheet, oldest first, each with its time.
    public var violations: [String] { circuit.violations }

    /// When BUSY is let go.
    public func ready(at now: Timestamp) -> Timestamp? { circuit.ready(at: now) }

    /// What a person sees; during a refresh what was there before.
    public func visible(at now: Timestamp) -> Picture { circuit.glass(at: now).picture }

    /// What the border shows.
    public func border(at now: Timestamp) -> EPaperGlass.Ink { circuit.glass(at: now).border }
}
