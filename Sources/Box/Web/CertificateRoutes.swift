import BoxCertificates
import HTTPTypes
import Hummingbird
import NIOCore

/// The box's own authority, for phones whose owners want no warning: plain for most, a profile for Apple's.
struct CertificateRoutes: Sendable {
    let certificates: CertificateSource

    func add(to router: Router<BoxRequestContext>) {
        router.get("/ca.crt") { _, _ in
            try file(certificates.authorityCertificate, type: "application/x-x509-ca-cert", name: "kibitz-local.crt")
        }
        router.get("/ca.mobileconfig") { _, _ in
            try file(
                certificates.appleProfile, type: "application/x-apple-aspen-config", name: "kibitz-local.mobileconfig")
        }
    }

    /// Nil where the owner gave a certificate: there is nothing to install then.
    private func file(_ bytes: [UInt8]?, type: String, name: String) throws -> Response {
        guard let bytes else {
            throw HTTPError(.notFound, message: "This box uses its owner's certificate; there is nothing to install.")
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: type, .contentDisposition: "attachment; filename=\"\(name)\"", .cacheControl: "no-store",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
