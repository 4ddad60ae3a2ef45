import Credentials

/// What `kibitz-local status` tells; its JSON form is the one of `--json`.
public struct Status: Codable, Sendable, Equatable {
    /// One person in the room.
    public struct Person: Codable, Sendable, Equatable {
        /// The person's id, `kl-…`.
        public var id: String
        /// The name they gave, possibly empty.
        public var name: String
        /// Where their phone is.
        public var address: String
        /// Whether their phone has dropped off and may come back.
        public var away: Bool
        /// Whether their camera is on.
        public var camera: Bool
        /// Whether their microphone is on.
        public var microphone: Bool
        /// Their links to others: in all, working, and through the box's TURN.
        public var links: Links
    }

    /// Links between phones, as their pages report them.
    public struct Links: Codable, Sendable, Equatable {
        /// Links that should be there.
        public var total = 0
        /// Links that carry data.
        public var healthy = 0
        /// Of the healthy ones, those relayed by the box.
        public var relayed = 0

        /// No links.
        public init() {}
    }

    /// Totals since the start of the process.
    public struct Traffic: Codable, Sendable, Equatable {
        /// Signaling frames relayed from client to client.
        public var signalingFrames: UInt64 = 0
        /// Signaling frames dropped, over all causes.
        public var signalingDrops: UInt64 = 0
        /// STUN Binding requests answered.
        public var stunAnswers: UInt64 = 0
        /// TURN allocations at present.
        public var turnAllocations: Int = 0
        /// Packets relayed by TURN.
        public var turnPackets: UInt64 = 0
        /// Bytes of payload relayed by TURN.
        public var turnBytes: UInt64 = 0
        /// STUN and TURN requests and packets refused or dropped, over all causes.
        public var turnRefusals: UInt64 = 0

        /// Clients of the LAN hub at present.
        public var hubClients: Int = 0
        /// Clients of the hub that dropped and may come back.
        public var hubAbsent: Int = 0
        /// Phones connected to the hub's port, those of the box's own page included.
        public var hubPeers: Int = 0
        /// Frames the hub passed from client to client.
        public var hubFrames: UInt64 = 0
        /// Frames the hub dropped, over all causes.
        public var hubDrops: UInt64 = 0
        /// Datagrams refused or dropped on the hub's port, over all causes.
        public var hubRefusals: UInt64 = 0

        /// Nothing yet.
        public init() {}
    }

    /// How a phone gets onto the box's own Wi-Fi.
    public struct WiFi: Codable, Sendable, Equatable {
        /// The network's name.
        public var ssid: String
        /// Its passphrase.
        public var passphrase: String
        /// The text of the QR by which phones join.
        public var code: String

        /// Makes a description.
        public init(ssid: String, passphrase: String) {
            self.ssid = ssid
            self.passphrase = passphrase
            code = WiFiCode.text(ssid: ssid, passphrase: passphrase)
        }
    }

    /// The panel.
    public struct Panel: Codable, Sendable, Equatable {
        /// What it is, by its name in the configuration.
        public var model: String
        /// The screen it shows, in a word such as `room`; nil before there is one.
        public var shows: OrNull<String>
        /// Pictures it was given since the start.
        public var pictures: Int
        /// Milliseconds from the start of the process until it was given the first codes.
        public var firstCodes: OrNull<Int>
        /// What is wrong, in a word: `missing`, `silent`, `bus`, `font` or `file`.
        public var fault: OrNull<String>
    }

    /// The button and the light at it.
    public struct Button: Codable, Sendable, Equatable {
        /// Whether there is one.
        public var present: Bool
        /// Its light: `off`, `on` or `blinking`; nil where it has none.
        public var light: OrNull<String>
        /// What is wrong, in a word: `missing` or `silent`, which is stuck.
        public var fault: OrNull<String>
    }

    /// The serving process.
    public var pid: Int32
    /// ``boxVersion``.
    public var version: String
    /// The room's name.
    public var name: String
    /// Seconds since the start of the process.
    public var uptime: Int
    /// TCP port of HTTP.
    public var http: Int
    /// TCP port of HTTPS.
    public var https: Int
    /// UDP port of STUN and TURN.
    public var stun: Int
    /// UDP port of the LAN hub, or nil while the box has none.
    public var hub: OrNull<Int>
    /// The blob by which a client dials the hub, or nil while the box has none.
    public var blob: OrNull<String>
    /// The link that joins through Kibitz's hosted page and the hub, or nil while the box has none.
    public var hubLink: OrNull<String>
    /// Whether Kibitz's app finds the hub without a code, so that anyone on the network can pose as it.
    public var discovery: Bool
    /// The addresses the box is reached at, best first.
    public var addresses: [String]
    /// The join link, as the QR holds it.
    public var link: String
    /// The box's own Wi-Fi, or nil where it makes none.
    public var wifi: OrNull<WiFi>
    /// The room: its generation of credentials.
    public var room: Room
    /// Everyone in the room.
    public var people: [Person]
    /// Links over everyone; each is reported by both of its ends and counted once.
    public var links: Links
    /// PeerJS clients that are not in the room.
    public var guests: Int
    /// Totals since the start.
    public var traffic: Traffic
    /// The panel.
    public var panel: Panel
    /// The button.
    public var button: Button
    /// The certificate HTTPS shows: `own`, the box's, or `owner`, the owner's.
    public var certificate: String
    /// What is wrong at present, in plain words; empty when all is well.
    public var trouble: [String]

    /// The room and its credentials, without the secret.
    public struct Room: Codable, Sendable, Equatable {
        /// Which generation of credentials is valid.
        public var generation: UInt32
        /// How many people it may hold.
        public var limit: Int
    }
}

/// A value that is written as JSON's `null`, instead of left out, when it is missing: readers find the key always.
public struct OrNull<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
    /// The value, or nil.
    public var value: Value?

    /// Wraps a value.
    public init(_ value: Value?) {
        self.value = value
    }

    /// Reads a value or `null`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    /// Writes the value or `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}
