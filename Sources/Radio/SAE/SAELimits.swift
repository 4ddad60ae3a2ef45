/// The most an ``SAEAuthenticator`` keeps or does. Nobody on the air can make anything grow beyond these.
public struct SAELimits: Sendable {
    /// Exchanges at once of which the confirm is still to come. One more pushes out the oldest: who holds them up loses them
    /// first, while a phone needs its own for some tens of milliseconds.
    public var halfOpenExchanges = 64
    /// From how many such exchanges on a commit must carry an anti-clogging token (dot11RSNASAEAntiCloggingThreshold).
    public var tokenThreshold = 8
    /// Commits of one address and method that are kept until a confirm tells which is the station's: whoever forges its
    /// address must send as many between its commit and its confirm.
    public var commitsPerExchange = 4
    /// How often the answer to a frame that comes again is sent again (dot11RSNASAESync).
    public var retransmissions = 5
    /// How long an exchange waits for its confirm, and how long confirms that come again are answered after it.
    public var exchangeLifetime = Duration.seconds(10)
    /// How long a token is taken at least; twice as long at most.
    public var tokenLifetime = Duration.seconds(60)
    /// Keys that are kept for stations that come back.
    public var cachedKeys = 256
    /// How long each of them is kept (dot11RSNAConfigPMKLifetime: 43,200 seconds).
    public var cachedKeyLifetime = Duration.seconds(43_200)
    /// Work for unproven stations, in multiplications of points a second: an exchange takes three, and finding the element by
    /// hunting-and-pecking as many as ``huntingWork``. A Raspberry Pi Zero 2 W can do some thousands. Frames beyond are
    /// dropped; whoever is there sends them again.
    public var workPerSecond = 2_000.0
    /// How many multiplications of a point hunting-and-pecking takes as long as.
    public var huntingWork = 20.0

    /// The defaults.
    public init() {}
}
