import BoxCertificates
import HTTPTypes
import Hummingbird
import NIOCore

/// The box's own authority, for phones whose owners want no warning: plain for most, a profile for Apple's.
struct CertificateRoutes: Sendable {
    let certificates: CertificateSource

    func add(to router: Router<BoxRequestContext>) {
        router.get("/ca.crt") { _, _ in
            try file(\.der, type: AuthorityCertificate.contentType, name: "kibitz-local.crt")
        }
        router.get("/ca.mobileconfig") { _, _ in
            try file(
                { $0.appleProfile() }, type: AuthorityCertificate.appleProfileContentType,
                name: "kibitz-local.mobileconfig")
        }
    }

    private func file(_ bytes: (AuthorityCertificate) -> [UInt8], type: String, name: String) throws -> Response {
        guard let authority = certificates.authority else {
            throw HTTPError(.notFound, message: "This box uses its owner's certificate; there is nothing to install.")
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: type, .contentDisposition: "attachment; filename=\"\(name)\"", .cacheControl: "no-store",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes(authority))))
    }
}
