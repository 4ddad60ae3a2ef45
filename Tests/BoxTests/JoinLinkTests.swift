import BoxConfiguration
import Testing
import Wire

@testable import Box

@Suite struct JoinLinkTests {
    private let addresses = [IPAddress(ipv4: "192.168.1.5")!, IPAddress(ipv4: "10.0.0.1")!]

    private func link(_ role: BoxConfiguration.Role = .person, _ change: (inout BoxConfiguration) -> Void = { _ in })
        -> String
    {
        var configuration = BoxConfiguration(for: role)
        change(&configuration)
        return JoinLink(
            configuration: configuration, hasOwnersCertificate: configuration.certificate != nil, addresses: addresses,
            secret: "s3cret"
        ).description
    }

    @Test func `the best address, and the secret behind the number sign`() {
        #expect(link() == "http://192.168.1.5:8080/#s3cret")
    }

    @Test func `usual ports are left out`() {
        #expect(link(.service) == "http://192.168.1.5/#s3cret")
        #expect(link(.service) { $0.link.scheme = .https } == "https://192.168.1.5/#s3cret")
        // The usual port of the other scheme is not this one's.
        #expect(link { $0.http.port = 443 } == "http://192.168.1.5:443/#s3cret")
    }

    @Test func `an owner's certificate is met by its name`() {
        let named = link {
            $0.certificate = .init(chain: "/chain.pem", key: "/key.pem")
            $0.names = ["cards.example.org"]
        }
        #expect(named == "https://cards.example.org:8443/#s3cret")
    }
}
