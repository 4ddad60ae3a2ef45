/// What lets a phone onto the box's own Wi-Fi. It changes with the room's secret.
public struct WiFiCredentials: Hashable, Sendable {
    /// What the network's name ends with, so that a phone never tries a former passphrase on the present network.
    public let suffix: String
    /// The passphrase: 72 random bits in three groups, to be typed from a screen.
    public let passphrase: String

    /// No look-alikes (0 and o, 1, i and l), and no vowels, so that no word comes about.
    private static let alphabet = Array("23456789bcdfghjkmnpqrstvwxyz")
    private static let suffixLength = 4
    private static let groups = 3
    private static let groupLength = 5
    /// How long the name of a network may be, in octets (IEEE 802.11-2020, section 9.4.2.2).
    public static let maximumNameLength = 32

    /// Makes fresh credentials.
    /// - Parameter generator: a cryptographically secure generator.
    init(using generator: inout some RandomNumberGenerator) {
        suffix = Self.letters(Self.suffixLength, using: &generator)
        passphrase = (0..<Self.groups).map { _ in Self.letters(Self.groupLength, using: &generator) }
            .joined(separator: "-")
    }

    /// Reads what a file holds.
    /// - Throws: `CredentialFileError` when it is not what ``init(using:)`` makes.
    init(suffix: String, passphrase: String) throws(CredentialFileError) {
        let groups = passphrase.split(separator: "-", omittingEmptySubsequences: false)
        guard Self.isText(suffix, count: Self.suffixLength) else {
            throw CredentialFileError("the Wi-Fi's suffix is not \(Self.suffixLength) of its characters")
        }
        guard groups.count == Self.groups, groups.allSatisfy({ Self.isText($0, count: Self.groupLength) }) else {
            throw CredentialFileError(
                "the Wi-Fi's passphrase is not \(Self.groups) groups of \(Self.groupLength) of its characters")
        }
        self.suffix = suffix
        self.passphrase = passphrase
    }

    private static func letters(_ count: Int, using generator: inout some RandomNumberGenerator) -> String {
        // `Int.random` is without bias, as it draws again where a remainder would favour some.
        String((0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
    }

    private static func isText(_ text: some StringProtocol, count: Int) -> Bool {
        text.unicodeScalars.count == count && text.allSatisfy(alphabet.contains)
    }

    /// The network's name: the box's, a hyphen, and ``suffix``.
    /// - Parameter name: the box's name; what does not fit ``maximumNameLength`` is cut off, whole characters at a time.
    public func ssid(name: String) -> String {
        let ending = "-" + suffix
        var name = name
        while name.utf8.count + ending.utf8.count > Self.maximumNameLength { name.removeLast() }
        while let last = name.last, last.isWhitespace { name.removeLast() }
        return name + ending
    }
}

/// The code by which phones join a Wi-Fi.
public enum WiFiCode {
    /// The code's text, `WIFI:T:WPA;S:<name>;P:<passphrase>;;`.
    ///
    /// `T:WPA` stands for WPA3 as well: phones take from the network's beacon which it is, and some know no `T:SAE`.
    /// A reader may take a name for hexadecimal that holds nothing but such digits; ours holds a hyphen.
    /// - Parameters:
    ///   - ssid: the network's name.
    ///   - passphrase: its passphrase.
    public static func text(ssid: String, passphrase: String) -> String {
        "WIFI:T:WPA;S:\(escaped(ssid));P:\(escaped(passphrase));;"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            if #"\;,":"#.unicodeScalars.contains(character) { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(character)
        }
        return result
    }
}
