public import Wire

extension BoxConfiguration {
    /// The box's own Wi-Fi.
    public struct WiFi: Sendable, Equatable {
        /// What the box does with its Wi-Fi adapter.
        public enum Mode: String, Sendable, CaseIterable {
            /// It makes a Wi-Fi of its own as soon as there is an adapter that can.
            case auto
            /// Nothing: the box is a guest on a network that is there already.
            case none
            /// An access point of another make is on a cable at the interface: the box gives out addresses, names and
            /// the portal there as on a Wi-Fi of its own.
            case wired
        }

        /// How phones prove that they know the passphrase.
        public enum Security: String, Sendable, CaseIterable {
            /// WPA2-Personal, with protected management frames for phones that can.
            case wpa2
            /// WPA3-Personal only: SAE, protected management frames required.
            case wpa3
            /// Both: each phone takes the best it can.
            case transition
        }

        /// What the box does with its Wi-Fi adapter.
        public var mode = Mode.none
        /// The network interface to use; nil for the first whose radio can be an access point.
        public var interface: String?
        /// The channel's number, below 15 in the 2.4 GHz band, above 35 in the 5 GHz band; nil for the best free one.
        public var channel: Int?
        /// How phones prove that they know the passphrase.
        public var security = Security.transition
        /// The network's name (SSID) before the suffix that changes with each rotation.
        public var name = "Kibitz"
        /// The most phones at one time, if the adapter can hold as many.
        public var stations = 32
        /// How long a phone may be silent before the box asks whether it is still there, and lets it go if it is not.
        public var silence: Duration = .seconds(60)
        /// How often the group key, with which the box sends to all phones at once, is changed.
        public var rekey: Duration = .seconds(3600)
        /// The private IPv4 network, of 256 addresses, that phones get theirs from; nil for 10.77.0.0/24, or another
        /// when a network the box is joined to uses that.
        public var subnet: IPNetwork?

        /// The bytes of UTF-8 that ``name`` may have, so that with its suffix it fits into an SSID.
        public static let maximumNameLength = 24
        /// The channels of 20 MHz that can be asked for: those an access point may use somewhere without watching for
        /// radar, and those of which the kernel says whether it may.
        public static let channels: Set<Int> = Set(1...13).union(stride(from: 36, through: 64, by: 4))
            .union(stride(from: 100, through: 144, by: 4)).union(stride(from: 149, through: 177, by: 4))

        /// Makes the defaults: no Wi-Fi of its own.
        public init() {}
    }
}

/// The officially assigned codes of countries (ISO 3166-1 alpha-2).
enum CountryCodes {
    /// Whether `code`, two capital letters, is one.
    static func contains(_ code: String) -> Bool {
        code.utf8.count == 2 && all.contains(Substring(code))
    }

    private static let all = Set(
        """
        AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
        CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
        FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
        JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
        MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
        PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
        TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
        """.split(whereSeparator: \.isWhitespace))
}
