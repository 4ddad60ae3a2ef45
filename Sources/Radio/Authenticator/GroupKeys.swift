public import WiFiCrypto

/// The keys that protect what the access point sends to all (IEEE 802.11-2020, 12.7.1.4 and 12.7.1.5).
///
/// They are drawn at random, which needs no group master key. Each pair of indices is used by turns, so that stations hold
/// the old key and the new one while some have not yet been told.
public struct GroupKeys: Equatable, Sendable {
    /// Octets of a key: CCMP with 128 bits, BIP with CMAC and 128 bits.
    public static let keySize = 16

    /// Protects data (GTK), ``keySize`` octets.
    public let gtk: SecretBytes
    /// Its identifier in frames, 1 or 2.
    public let gtkIndex: UInt8
    /// Protects management frames (IGTK), ``keySize`` octets; stations with management frame protection get it.
    public let igtk: SecretBytes?
    /// Its identifier in frames, 4 or 5.
    public let igtkIndex: UInt8
    /// The packet number last sent under the GTK, which a station is told so that nothing older can be replayed to it.
    public var gtkSequence: UInt64 = 0
    /// The packet number last sent under the IGTK.
    public var igtkSequence: UInt64 = 0

    /// The first keys of an access point.
    /// - Parameters:
    ///   - usesManagementFrameProtection: whether there is an IGTK.
    ///   - generator: a cryptographic generator.
    public static func fresh(
        usesManagementFrameProtection: Bool, using generator: inout some RandomNumberGenerator
    ) -> GroupKeys {
        GroupKeys(gtkIndex: 1, igtkIndex: 4, hasIGTK: usesManagementFrameProtection, using: &generator)
    }

    /// Other keys, at the other indices.
    /// - Parameter generator: a cryptographic generator.
    public func next(using generator: inout some RandomNumberGenerator) -> GroupKeys {
        GroupKeys(
            gtkIndex: gtkIndex == 1 ? 2 : 1, igtkIndex: igtkIndex == 4 ? 5 : 4, hasIGTK: igtk != nil, using: &generator)
    }

    private init(gtkIndex: UInt8, igtkIndex: UInt8, hasIGTK: Bool, using generator: inout some RandomNumberGenerator) {
        self.init(
            gtk: SecretBytes(randomCount: Self.keySize, using: &generator), gtkIndex: gtkIndex,
            igtk: hasIGTK ? SecretBytes(randomCount: Self.keySize, using: &generator) : nil, igtkIndex: igtkIndex)
    }

    init(gtk: SecretBytes, gtkIndex: UInt8, igtk: SecretBytes?, igtkIndex: UInt8) {
        self.gtk = gtk
        self.gtkIndex = gtkIndex
        self.igtk = igtk
        self.igtkIndex = igtkIndex
    }
}
