import BoxCertificates
import BoxRoom
import Credentials
import JSON
import PeerBroker
import Wire

/// What a room page may ask: facts about the box, a session for whoever holds the room's secret, and ICE servers. The same
/// answers go over HTTP and over the LAN hub.
struct RoomDesk: Sendable {
    /// Session requests of one address: each second, and at once. A page makes one for each start.
    static let sessionRate = 4.0
    static let sessionBurst = 40.0

    /// Why there is no session, for the page and in plain words.
    struct Refusal: Error {
        /// The reason as a word.
        let error: String
        /// The reason for people.
        let message: String

        static let slowDown = Refusal(
            error: "slow-down", message: "Too many tries. Wait a moment, then try again.")
        static let malformed = Refusal(
            error: "malformed", message: "Send {\"secret\": \"…\"}, and \"token\" if you have one.")
        static let rotated = Refusal(
            error: "rotated", message: "This code is not valid any more. Scan the code that the box shows now.")
    }

    let configuration: WebConfiguration
    let authority: RoomAuthority
    private let limiter = AddressRateLimiter(rate: sessionRate, burst: sessionBurst)

    init(configuration: WebConfiguration, authority: RoomAuthority) {
        self.configuration = configuration
        self.authority = authority
    }

    /// Lets someone in who knows the room's secret.
    /// - Parameters:
    ///   - body: an object with `secret` and, from someone who was here before, `token`.
    ///   - address: where the request comes from.
    func openSession(_ body: RawSpan, address: IPAddress) throws(Refusal) -> RoomAuthority.Session {
        guard limiter.allows("\(address)") else { throw .slowDown }
        guard let request = SessionRequest(parsing: body) else { throw .malformed }
        return try openSession(secret: request.secret, token: request.token)
    }

    /// The same for someone whose tries are counted already.
    func openSession(secret: String, token: String?) throws(Refusal) -> RoomAuthority.Session {
        guard let session = authority.openSession(secret: secret, previousToken: token) else { throw .rotated }
        return session
    }

    /// Whether an address may try again.
    func allows(_ address: IPAddress) -> Bool { limiter.allows("\(address)") }

    // MARK: Answers

    /// Facts about the box; nothing secret.
    func write(factsTo writer: inout JSONWriter) {
        writer.object { room in
            room.member("name", configuration.name)
            room.member("version", configuration.version)
            room.member("generation", authority.credentials.generation)
            room.member("http", configuration.ports.http)
            room.member("https", configuration.ports.https)
            // `own`: browsers warn until the box's authority is installed; `owner`: a certificate browsers know.
            let isOwners = configuration.certificates.status.origin == .owner
            room.member("certificate", isOwners ? "owner" : "own")
            // What invitations begin with.
            room.member("scheme", configuration.linksAreSecure(isOwners) ? "https" : "http")
            let hub = configuration.hub.dialling
            room.member("hub") { writer in
                if let hub { writer.string(hub.blob) } else { writer.null() }
            }
            // With the blob and the secret that the page has, the link of the hub's code.
            room.member("base") { writer in
                if let hub { writer.string(hub.base) } else { writer.null() }
            }
            // Whether anyone on the network can pose as the hub.
            room.member("discovery", hub?.discovery ?? false)
        }
    }

    /// Members of a session.
    func write(_ session: RoomAuthority.Session, membersTo object: inout JSONWriter) {
        object.member("id", session.id)
        object.member("token", session.token)
        object.member("generation", session.generation)
        object.member("name", configuration.name)
    }

    /// ICE servers by the address at which this very phone reached the box: it needs no name and surely gets there.
    func write(iceServersAt host: IPAddress, to writer: inout JSONWriter) {
        let port = configuration.ports.stun
        writer.array { servers in
            servers.object { server in
                server.member("urls") { $0.array { $0.string("stun:\(host):\(port)") } }
            }
            guard configuration.offersTURN else { return }
            let credential = authority.turnCredential(lifetime: configuration.turnLifetime)
            servers.object { server in
                server.member("urls") { $0.array { $0.string("turn:\(host):\(port)?transport=udp") } }
                server.member("username", credential.username)
                server.member("credential", credential.password)
            }
        }
    }
}
