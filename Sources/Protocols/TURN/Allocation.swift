import SansIO
import STUN
import Wire

/// What identifies a client's allocation (RFC 8656 section 3.2); the transport is always UDP and the server's port always
/// the same.
struct FiveTuple: Hashable, Sendable {
    /// The client's address.
    let client: TransportAddress
    /// The machine's address the client sends to.
    let server: IPAddress
}

/// Who makes a request, proven.
struct Credentials {
    let username: String
    let algorithm: STUNPasswordAlgorithm
    let key: STUNKey
    /// Whether the request was proven by MESSAGE-INTEGRITY-SHA256, so that its answer is too.
    let usesSHA256: Bool
}

/// Leave for a peer to send to an allocation, and for the client to send to it (RFC 8656 section 9).
final class Permission {
    let address: IPAddress
    var expires: Timestamp
    /// Whether the address is still in the networks served.
    var isAllowed = true

    init(_ address: IPAddress, expires: Timestamp) {
        self.address = address
        self.expires = expires
    }
}

/// A number that stands for a peer (RFC 8656 section 12).
final class Channel {
    let number: UInt16
    let peer: TransportAddress
    /// The peer's permission, which may expire and be installed anew while the channel lasts.
    var permission: Permission
    var expires: Timestamp
    /// Whether the peer is at one of the machine's own addresses.
    var isPeerOwn: Bool

    init(_ number: UInt16, peer: TransportAddress, permission: Permission, expires: Timestamp, isPeerOwn: Bool) {
        self.number = number
        self.peer = peer
        self.permission = permission
        self.expires = expires
        self.isPeerOwn = isPeerOwn
    }
}

/// A relayed address and what belongs to it (RFC 8656 section 3.2).
final class Allocation {
    /// Where an allocation is in its life; one that ended is no longer kept.
    enum State {
        /// The shell was asked for the socket; the request is answered when it is there.
        case opening(attemptsLeft: Int)
        /// Data is relayed.
        case open
    }

    let tuple: FiveTuple
    let credentials: Credentials
    /// The transaction that made it, to know a retransmission by (RFC 8656 section 7.2).
    let transactionID: TransactionID
    /// What the answer to that transaction says, again for a retransmission.
    let grant: Grant
    var relay: TransportAddress
    var state: State
    var expires: Timestamp
    /// Whether the client is still in the networks served.
    var isAllowed = true
    private(set) var permissions: [IPAddress: Permission] = [:]
    private(set) var channels: [UInt16: Channel] = [:]
    private(set) var channelsByPeer: [TransportAddress: Channel] = [:]

    /// What an Allocate request was granted besides the address.
    struct Grant {
        let lifetime: Duration
        let parity: Parity
        let token: UInt64?
        /// Whether the request also wanted an IPv6 address, which it is told it cannot have.
        let refusesAdditionalFamily: Bool
        let hasFingerprint: Bool
    }

    /// What EVEN-PORT asks of the port (RFC 8656 section 18.6).
    enum Parity {
        case any
        case even
        /// An even port whose successor is set aside.
        case evenWithNext
    }

    init(
        _ tuple: FiveTuple, _ credentials: Credentials, _ transactionID: TransactionID, grant: Grant,
        relay: TransportAddress, state: State, expires: Timestamp
    ) {
        self.tuple = tuple
        self.credentials = credentials
        self.transactionID = transactionID
        self.grant = grant
        self.relay = relay
        self.state = state
        self.expires = expires
    }

    /// Installs or renews a permission; the caller has checked the limit.
    func permit(_ address: IPAddress, until expires: Timestamp) -> Permission {
        if let permission = permissions[address] {
            permission.expires = expires
            return permission
        }
        let permission = Permission(address, expires: expires)
        permissions[address] = permission
        // Channels outlive permissions by five minutes; one that waits for its peer's gets the new one.
        for channel in channels.values where channel.peer.address == address { channel.permission = permission }
        return permission
    }

    func bind(_ channel: Channel) {
        channels[channel.number] = channel
        channelsByPeer[channel.peer] = channel
    }

    /// Removes what has expired.
    /// - Returns: when the next thing expires, the allocation itself included.
    func sweep(at now: Timestamp) -> Timestamp {
        var next = expires
        for (address, permission) in permissions {
            if permission.expires <= now { permissions[address] = nil } else { next = min(next, permission.expires) }
        }
        for (number, channel) in channels {
            if channel.expires <= now {
                channels[number] = nil
                channelsByPeer[channel.peer] = nil
            } else {
                next = min(next, channel.expires)
            }
        }
        return next
    }
}

extension Permission {
    /// Whether data may pass now.
    func isValid(at now: Timestamp) -> Bool {
        isAllowed && expires > now
    }
}
