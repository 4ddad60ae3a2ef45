public import STUN

/// A user name fragment and a password: what an agent is known by, and what proves a check meant for it
/// (RFC 8445 section 5.3).
public struct ICECredentials: Sendable {
    /// The user name fragment, 4 to 256 ice-chars.
    public let fragment: String
    /// The password, 22 to 256 ice-chars.
    public let password: String
    /// The key of MESSAGE-INTEGRITY, made once (RFC 8445 section 7.2.2).
    public let key: STUNKey

    /// Makes credentials.
    /// - Parameters:
    ///   - fragment: the user name fragment (`ice-ufrag`), 4 to 256 ice-chars.
    ///   - password: the password (`ice-pwd`), 22 to 256 ice-chars.
    /// - Returns: nil when either has another length or other characters (RFC 8839 section 5.4).
    public init?(fragment: String, password: String) {
        guard Self.fragmentLengths.contains(fragment.utf8.count), Self.passwordLengths.contains(password.utf8.count),
            fragment.utf8.allSatisfy(Self.isICECharacter), password.utf8.allSatisfy(Self.isICECharacter)
        else { return nil }
        self.fragment = fragment
        self.password = password
        key = STUNKey(shortTerm: password)
    }

    /// How many characters a user name fragment has (RFC 8839 section 5.4).
    public static let fragmentLengths = 4...256
    /// How many characters a password has (RFC 8839 section 5.4).
    public static let passwordLengths = 22...256

    /// Whether an octet is an ice-char: a letter, a digit, `+` or `/` (RFC 8839 section 5.1).
    public static func isICECharacter(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
