import ICE
import SansIO
import Wire

/// One phone, known by both halves of the USERNAME of its checks (RFC 8445 section 7.2.2), wherever it is.
final class Peer {
    let id: PeerID
    /// USERNAME, `<our fragment>:<its fragment>`.
    var username: [UInt8]
    /// The name of ours it came by.
    let name: Name
    var ice: ICEPeer
    /// Where its last datagram of DTLS came from.
    var lastPath: ICEPath?
    /// DTLS and what is above it; nil until the peer begins a handshake.
    var transport: DataChannelTransport?
    var stage = Stage.checked
    /// When the first record came that belongs to a session that is gone.
    private var firstStray: Timestamp?
    /// Whether it goes on in a session that is gone.
    private(set) var isStale = false
    var checkRate: Pacer
    var datagramRate: Pacer
    /// Octets that count for it in the endpoint's total.
    var heldBytes = 0
    /// The address the per-address counts are kept under.
    let home: IPAddress

    /// When the transport wants to be called.
    var transportDeadline: Timestamp?
    /// When the peer must be connected; nil once it is.
    var connectDeadline: Timestamp?
    /// When consent is looked at; the sign of life that moves it later does so when it comes up.
    var consentDeadline: Timestamp
    /// The first of the three.
    var deadline: Timestamp
    /// Where its entry is in ``TimerHeap``; negative when there is none.
    var timerPlace = -1

    /// How far a peer is.
    enum Stage {
        /// A valid check came.
        case checked
        /// Its DTLS handshake, then that of SCTP, goes on.
        case handshaking
        case connected
        case gone
    }

    init(
        _ id: PeerID, username: [UInt8], _ name: Name, home: IPAddress, limits: EndpointLimits, at now: Timestamp
    ) {
        self.id = id
        self.username = username
        self.name = name
        self.home = home
        ice = ICEPeer(at: now)
        checkRate = Pacer(perSecond: limits.checksPerSecond)
        datagramRate = Pacer(perSecond: limits.datagramsPerSecond)
        consentDeadline = ice.consentDeadline
        let connectDeadline = now + limits.connectTime
        self.connectDeadline = connectDeadline
        deadline = min(connectDeadline, consentDeadline)
    }

    /// Where its packets go: the selected path, or before there is one the path it used.
    var path: ICEPath? { ice.selected ?? lastPath }

    /// How long after the first record of a lost session another must come. One alone may be late, from a page that was loaded anew,
    /// or forged; a phone whose session is gone sends again and again.
    private static let strayTime = Duration.milliseconds(200)

    /// How long a peer that goes on in a lost session is remembered after it was last heard. Firefox checks every five seconds and
    /// takes some refusals to give up.
    private static let staleTime = Duration.seconds(30)

    /// Notes a record of DTLS that needs a session, though there is none.
    func receiveStray(_ isAlert: Bool, at now: Timestamp) {
        // An alert ends a session; who sends one does not wait for anything.
        if isAlert { return }
        guard let firstStray else { return self.firstStray = now }
        if now - firstStray >= Self.strayTime { condemn(at: now) }
    }

    /// Takes it for one that goes on in a lost session, until it begins a new one or is not heard any more.
    func condemn(at now: Timestamp) {
        isStale = true
        connectDeadline = now + Self.staleTime
        consentDeadline = now + Self.staleTime
        updateDeadline()
    }

    /// Notes that it begins a new session.
    func beginAnew(_ limits: EndpointLimits, at now: Timestamp) {
        firstStray = nil
        isStale = false
        connectDeadline = now + limits.connectTime
        consentDeadline = ice.consentDeadline
    }

    func updateDeadline() {
        var first = consentDeadline
        if let connectDeadline { first = min(first, connectDeadline) }
        if let transportDeadline { first = min(first, transportDeadline) }
        deadline = first
    }

    /// Whether the halves of a check's USERNAME are this peer's.
    func sends(_ check: borrowing ICECheck) -> Bool {
        let local = check.localFragment
        let remote = check.remoteFragment
        let count = local.byteCount
        guard username.count == count + 1 + remote.byteCount else { return false }
        return local.elementsEqual(username[..<count]) && username[count] == UInt8(ascii: ":")
            && remote.elementsEqual(username[(count + 1)...])
    }
}

/// Lets through so many a second, and a second's worth at once; a token bucket in one number (GCRA).
struct Pacer {
    private let interval: UInt64
    private var theoretical: UInt64 = 0

    init(perSecond: Int) {
        interval = 1_000_000_000 / UInt64(max(1, perSecond))
    }

    mutating func allows(at now: Timestamp) -> Bool {
        let next = max(theoretical, now.nanoseconds) &+ interval
        guard next &- now.nanoseconds <= 1_000_000_000 else { return false }
        theoretical = next
        return true
    }
}
