public import NIOSSL
public final class CertificateSource: Sendable {
    public func current() -> NIOSSLContext { fatalError() }
    public var isOwners: Bool { false }
    public var authorityCertificate: [UInt8]? { nil }
    public var appleProfile: [UInt8]? { nil }
}
