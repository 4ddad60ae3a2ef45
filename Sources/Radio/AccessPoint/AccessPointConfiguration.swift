/// What the access point shall be.
public struct AccessPointConfiguration: Hashable, Sendable {
    /// How phones prove that they know the passphrase.
    public enum Security: Hashable, Sendable {
        /// WPA2-Personal, with protected management frames for phones that can (IEEE 802.11-2020, 12.6.1.3).
        case wpa2
        /// SAE only, protected management frames required.
        case wpa3
        /// Both in one network.
        case transition
    }

    /// The network interface to use; nil for the first whose radio can be an access point.
    public var interface: String?
    /// The country, two capital letters (ISO 3166); nil when the owner has not said.
    public var country: String?
    /// The channel's number; nil for the best free one.
    public var channel: Int?
    /// How phones prove that they know the passphrase.
    public var security: Security
    /// The network's name, 1 to 32 octets.
    public var ssid: [UInt8]
    /// The passphrase, 8 to 63 characters of ASCII (IEEE 802.11-2020, J.4.1); SAE takes it as its password.
    public var passphrase: String
    /// The most stations at one time; a chip may hold fewer.
    public var stationLimit = 32
    /// How long a station may be silent before it is asked whether it is still there.
    public var silence: Duration = .seconds(60)
    /// How often the group key is changed.
    public var rekeyInterval: Duration = .seconds(3600)

    /// Makes a configuration.
    /// - Parameters:
    ///   - ssid: the network's name, 1 to 32 octets.
    ///   - passphrase: 8 to 63 characters of ASCII.
    ///   - security: how phones prove that they know it.
    ///   - interface: the network interface to use; nil for the first whose radio can.
    ///   - country: two capital letters; nil when unknown.
    ///   - channel: the channel's number; nil for the best free one.
    public init(
        ssid: [UInt8], passphrase: String, security: Security = .transition, interface: String? = nil,
        country: String? = nil, channel: Int? = nil
    ) {
        self.ssid = ssid
        self.passphrase = passphrase
        self.security = security
        self.interface = interface
        self.country = country
        self.channel = channel
    }
}
