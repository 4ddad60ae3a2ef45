/// What the box has to say on its panel.
public enum Screen: Equatable, Sendable {
    /// The box has power and is not ready yet.
    case starting(name: String)
    /// The codes, and who is there.
    case room(RoomScreen)
    /// The credentials are being changed.
    case rotating
    /// New software is being installed: power has to stay.
    case updating
    /// Nobody can join.
    case trouble(Trouble)
    /// The button is held: in how many seconds the box shuts down, if it is not let go.
    case holding(shutDownIn: Int)
    /// The button is still held: letting go shuts down; in how many seconds everything is reset.
    case holdingOn(resetIn: Int)
    /// Everything is being made as it was when the box was new.
    case resetting
    case shuttingDown
    /// The machine goes off: it is safe to unplug once its light is out. Stays on e-paper.
    case off
    /// The box has ended, and the machine runs on.
    case stopped
}

/// The screen of a room that can be joined.
public struct RoomScreen: Equatable, Sendable {
    /// A way onto the box's own Wi-Fi.
    public struct WiFi: Equatable, Sendable {
        /// The network's name.
        public var ssid: String
        /// What a phone is asked for, in words for whoever cannot scan.
        public var passphrase: String
        /// What its QR holds: `WIFI:…`.
        public var code: String

        /// Makes step 1.
        public init(ssid: String, passphrase: String, code: String) {
            self.ssid = ssid
            self.passphrase = passphrase
            self.code = code
        }
    }

    /// How many are there.
    public struct People: Equatable, Sendable {
        /// People in the room.
        public var count: Int
        /// How many of those have a link that works at present.
        public var healthy: Int

        /// Makes a count.
        public init(count: Int, healthy: Int) {
            self.count = count
            self.healthy = healthy
        }
    }

    /// The room's name.
    public var name: String
    /// Step 1; nil where the box makes no Wi-Fi.
    public var wifi: WiFi?
    /// Step 2: what the room's QR holds.
    public var link: String
    /// The link for whoever types it, without the secret; nil where there is none worth typing.
    public var address: String?
    /// Who is there.
    public var people: People
    /// The limit that is reached: so many phones, and no more; else nil.
    public var full: Int?
    /// What is wrong though people can join; the worst first.
    public var troubles: [Trouble]

    /// Makes the screen of a room.
    public init(
        name: String, wifi: WiFi?, link: String, address: String?, people: People, full: Int? = nil,
        troubles: [Trouble] = []
    ) {
        self.name = name
        self.wifi = wifi
        self.link = link
        self.address = address
        self.people = people
        self.full = full
        self.troubles = troubles
    }
}

/// What is wrong, as the person at the panel has to know it; each has a sentence and an advice in every language.
public enum Trouble: Hashable, Sendable {
    /// This machine is on no network at all.
    case noNetwork
    /// No radio that can make a Wi-Fi.
    case noRadio
    /// The radio is switched off by a switch or by software (rfkill).
    case radioSwitchedOff
    /// The radio does not work and is tried again.
    case radioFails
    /// `country:` is not set, so only channels legal everywhere are used.
    case noCountry
    /// The firewall, the address or dnsmasq of the Wi-Fi failed.
    case wifiNetworkFails
    /// The certificate has run out or cannot be read.
    case certificate
    /// The clock is known to be wrong.
    case clock
    /// The state cannot be written: the card is full or broken.
    case storage
    /// The box could not start, or had to end; why, in English, as errors describe themselves.
    case failed(String)
    /// Whoever held the button for it waits in vain: the machine was not shut down.
    case shutdownFails
    /// Whoever held the button for it waits in vain: nothing was reset.
    case resetFails
    /// Anything else, in English: one sentence.
    case other(String)
}

/// A language of the panel (ISO 639-1).
public enum Language: String, CaseIterable, Hashable, Sendable {
    case english = "en"
    case german = "de"
    case french = "fr"
    case spanish = "es"
    case hebrew = "he"

    /// Whether it is written from right to left.
    public var isRightToLeft: Bool { self == .hebrew }
}
