import Crypto
import SwiftASN1

/// The certificate of the box's own authority, for owners to install on their phones.
public struct AuthorityCertificate: Hashable, Sendable {
    /// The certificate in DER: the body of `/ca.crt`.
    public let der: [UInt8]
    /// Its name in a phone's list, for example `Kibitz Local 3F9A-22C1`.
    public let name: String

    /// The media type of ``der``.
    public static let contentType = "application/x-x509-ca-cert"
    /// The media type of ``appleProfile()``.
    public static let appleProfileContentType = "application/x-apple-aspen-config"

    /// The SHA-256 digest of the certificate: 32 octets.
    public var fingerprint: [UInt8] { Array(SHA256.hash(data: der)) }

    /// A configuration profile for iOS, iPadOS and macOS that installs the certificate (Apple, Configuration Profile
    /// Reference: the payload `com.apple.security.root`). It is not signed: the phone says so and lets the person go on.
    ///
    /// All its identifiers come from the certificate, so installing it twice replaces it and two boxes do not meet.
    /// - Returns: the property list, UTF-8.
    public func appleProfile() -> [UInt8] {
        let digest = fingerprint
        let identifier = "local.kibitz.ca.\(hexadecimal(digest.prefix(8)))"
        // The lines of the PEM form are the certificate in base64.
        let content = PEMDocument(type: "CERTIFICATE", derBytes: der).pemString.split(separator: "\n").dropFirst()
            .dropLast()
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
            <plist version="1.0">
            <dict>
            <key>PayloadContent</key>
            <array>
            <dict>
            <key>PayloadCertificateFileName</key>
            <string>ca.crt</string>
            <key>PayloadContent</key>
            <data>
            \(content.joined(separator: "\n"))
            </data>
            <key>PayloadDisplayName</key>
            <string>\(name)</string>
            <key>PayloadIdentifier</key>
            <string>\(identifier).root</string>
            <key>PayloadType</key>
            <string>com.apple.security.root</string>
            <key>PayloadUUID</key>
            <string>\(Self.uuid(digest[16...]))</string>
            <key>PayloadVersion</key>
            <integer>1</integer>
            </dict>
            </array>
            <key>PayloadDescription</key>
            <string>Lets this device trust the Kibitz box. It can vouch for addresses inside a home network and for \
            nothing else. After installing it, turn it on in Settings, General, About, Certificate Trust \
            Settings.</string>
            <key>PayloadDisplayName</key>
            <string>\(name)</string>
            <key>PayloadIdentifier</key>
            <string>\(identifier)</string>
            <key>PayloadOrganization</key>
            <string>Kibitz Local</string>
            <key>PayloadRemovalDisallowed</key>
            <false/>
            <key>PayloadType</key>
            <string>Configuration</string>
            <key>PayloadUUID</key>
            <string>\(Self.uuid(digest[..<16]))</string>
            <key>PayloadVersion</key>
            <integer>1</integer>
            </dict>
            </plist>

            """
        return Array(text.utf8)
    }

    /// 16 octets as a UUID of version 8 (RFC 9562, section 5.8: vendor-specific), in the upper case Apple writes.
    private static func uuid(_ octets: ArraySlice<UInt8>) -> String {
        var octets = Array(octets)
        octets[6] = octets[6] & 0x0F | 0x80
        octets[8] = octets[8] & 0x3F | 0x80
        let digits = hexadecimal(octets).uppercased()
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }
}
