import ICE
import Wire

/// The names by which peers come that choose the password themselves, so that the endpoint learns it from USERNAME.
enum DirectName {
    private static let version1 = Array("libp2p+webrtc+v1/".utf8)
    private static let version2 = Array("libp2p+webrtc+v2/".utf8)

    /// Which kind of name a check is for; nil when it is none of these.
    ///
    /// In each of them our fragment is our password too, so it has a password's length and characters. An unknown prefix is
    /// refused rather than guessed at (libp2p's specification, `webrtc/webrtc-direct.md`).
    static func kind(_ check: borrowing ICECheck) -> EndpointIdentityKind? {
        let local = check.localFragment
        let remote = check.remoteFragment
        guard ICECredentials.passwordLengths.contains(local.byteCount),
            ICECredentials.fragmentLengths.contains(local.byteCount),
            ICECredentials.fragmentLengths.contains(remote.byteCount), local.isICEText, remote.isICEText
        else { return nil }
        if local.starts(with: version2) {
            // What follows is the client's own password.
            return ICECredentials.passwordLengths.contains(local.byteCount - version2.count) ? .libp2pV2 : nil
        }
        guard local.withUnsafeBytes({ remote.elementsEqual($0) }) else { return nil }
        if local.starts(with: version1) { return .libp2pV1 }
        return local.byteCount == 64 && local.isHexadecimal ? .hexadecimal : nil
    }
}

extension RawSpan {
    fileprivate func starts(with prefix: [UInt8]) -> Bool {
        withUnsafeBytes { $0.starts(with: prefix) }
    }

    fileprivate var isICEText: Bool {
        withUnsafeBytes { $0.allSatisfy(ICECredentials.isICECharacter) }
    }

    fileprivate var isHexadecimal: Bool {
        withUnsafeBytes {
            $0.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    true
                default: false
                }
            }
        }
    }
}
