public import IEEE80211
public import WiFiCrypto

/// What ``Stations`` needs to know of the access point it keeps the stations of.
public struct StationsConfiguration: Sendable {
    /// Who does what: the chip, or this machine.
    public enum Kind: Hashable, Sendable {
        /// The chip sends and receives frames, all else is done here: authentication, association, handshake.
        case softMAC
        /// The chip authenticates and associates; the handshake is done here.
        case fullMAC
        /// The chip does everything, the handshake too.
        case offloaded
    }

    /// Who does what.
    public var kind: Kind
    /// What the BSS says of itself. Its RSN element says what a station may choose.
    public var description: BSSDescription
    /// The pairwise master key of WPA2, of ``pmkLength`` octets; nil when no AKM with a pre-shared key is offered, or
    /// the chip does the handshake.
    public var pmk: SecretBytes?
    /// The password of SAE; nil when SAE isn't offered, or the chip does it.
    public var password: SecretBytes?
    /// How many stations can be on at once, the smaller of what was configured and what the chip holds; 1 to 2007.
    public var limit: Int
    /// Whether probe requests reach this machine and wait for an answer.
    public var answersProbeRequests: Bool
    /// Whether the driver can ask a station if it is there. Where it can't and the handshake is ours, a group key
    /// handshake with the keys in use asks: every station answers it, also with its screen off.
    public var canProbe: Bool
    /// Timeouts and sizes.
    public var limits: StationsLimits

    /// A pairwise master key's length in octets.
    public static let pmkLength = 32

    /// Makes a configuration.
    public init(
        kind: Kind, description: BSSDescription, pmk: SecretBytes?, password: SecretBytes?, limit: Int,
        answersProbeRequests: Bool, canProbe: Bool = true, limits: StationsLimits = StationsLimits()
    ) {
        self.kind = kind
        self.description = description
        self.pmk = pmk
        self.password = password
        self.limit = min(max(limit, 1), StationsLimits.maximumAID)
        self.answersProbeRequests = answersProbeRequests
        self.canProbe = canProbe
        self.limits = limits
    }
}

/// Timeouts and sizes of ``Stations``.
public struct StationsLimits: Hashable, Sendable {
    /// The highest association identifier (IEEE 802.11-2020, 9.4.1.8), and so the most stations there can be.
    public static let maximumAID = 2007
    /// The most rates that nl80211 takes for a station.
    static let maximumRates = 32

    /// A station that has not been heard for so long is asked whether it is there.
    public var silence = Duration.seconds(60)
    /// How long it has to answer before it is asked again.
    public var probeInterval = Duration.seconds(4)
    /// After so many questions without an answer it is removed.
    public var maximumProbes = 3
    /// How often group keys change.
    public var groupRekeyInterval = Duration.seconds(3600)
    /// How many authenticated stations that have yet to associate are kept; the oldest gives way, and one that has shown
    /// nothing before one that knows the password.
    public var maximumAuthentications = 64
    /// How long one is kept.
    public var authenticationLifetime = Duration.seconds(10)
    /// How many stations between association and the handshake's end there can be; an older one gives way. A whole room
    /// may join at once.
    public var maximumHalfOpen = 64
    /// A station in its handshake is safe so long from giving way to another, unless it showed a wrong passphrase.
    ///
    /// Linux asks three times, at 0, 205 and 410 ms when told to wait for ``crowdedTimeUnits``; by its last time somebody
    /// has to be old enough.
    public var halfOpenGrace = Duration.milliseconds(400)
    /// When a station may come back that found too many others joining, in units of 1.024 ms.
    public var crowdedTimeUnits: UInt32 = 200
    /// How long the driver may take to make a station's entry, and to say that the association response arrived.
    public var answerTimeout = Duration.seconds(1)
    /// How long a handshake may take with all its repetitions.
    public var handshakeTimeout = Duration.seconds(10)
    /// How long the driver may take to send a deauthentication, before the station's entry goes.
    public var leavingTimeout = Duration.milliseconds(300)
    /// How long everyone's removal may take.
    public var emptyingTimeout = Duration.milliseconds(600)
    /// How long a station has to answer an SA Query, in units of 1.024 ms (dot11AssociationSAQueryMaximumTimeout).
    public var saQueryMaximumTimeUnits: UInt32 = 1000
    /// After how long the query is sent again, in units of 1.024 ms (dot11AssociationSAQueryRetryTimeout).
    public var saQueryRetryTimeUnits: UInt32 = 201
    /// For how long a chip that said that it is full is taken at its word; who was refused tries again sooner than that.
    public var chipIsFullTime = Duration.seconds(30)
    /// How many refused stations are remembered; who was refused longest ago gives way.
    public var maximumRefusals = 32
    /// How many probe requests are answered a second.
    public var probeResponsesPerSecond = 100.0
    /// How many data frames of stations that are not on are answered a second.
    public var unexpectedFrameAnswersPerSecond = 20.0
    /// How many refusals a second become events, after a burst of ten times as many; the others are only counted.
    public var refusalEventsPerSecond = 2.0

    /// The limits of the product.
    public init() {}
}
