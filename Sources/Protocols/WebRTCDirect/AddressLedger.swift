import SansIO
import Wire

/// What is counted for each address: peers, handshakes under way, and how fast new ones come.
struct AddressLedger {
    struct Account {
        var peers = 0
        var handshakes = 0
        var checks: TokenBucket
        var begun: TokenBucket
        var lastUsed: Timestamp
    }

    private let limits: EndpointLimits
    private var accounts: [IPAddress: Account] = [:]
    /// Of all addresses that have no account because there are too many.
    private var shared: Account
    private var allChecks: TokenBucket
    private var allBegun: TokenBucket
    private var refusals: TokenBucket
    private(set) var handshakes = 0
    /// When accounts that say nothing any more are dropped again at the earliest: each time costs a walk through all of them.
    private(set) var nextSweep = Timestamp.zero

    init(limits: EndpointLimits) {
        self.limits = limits
        shared = Self.account(limits, at: .zero)
        allChecks = TokenBucket(rate: limits.newChecksPerSecond, burst: limits.newChecksPerSecond, now: .zero)
        allBegun = TokenBucket(rate: limits.handshakesPerSecond, burst: limits.handshakesPerSecond * 2, now: .zero)
        refusals = TokenBucket(rate: limits.refusalsPerSecond, burst: limits.refusalsPerSecond, now: .zero)
    }

    private static func account(_ limits: EndpointLimits, at now: Timestamp) -> Account {
        Account(
            checks: TokenBucket(
                rate: limits.newChecksPerSecondPerAddress, burst: limits.newChecksPerSecondPerAddress * 2, now: now),
            begun: TokenBucket(
                rate: limits.handshakesPerSecondPerAddress, burst: limits.handshakesPerSecondPerAddress * 2, now: now),
            lastUsed: now)
    }

    private mutating func update<Result>(
        _ address: IPAddress, at now: Timestamp, _ body: (inout Account) -> Result
    ) -> Result {
        if accounts[address] == nil, accounts.count >= limits.addresses, now >= nextSweep {
            nextSweep = now + .seconds(1)
            // Buckets fill in two seconds; after that an account without peers says nothing any more.
            accounts = accounts.filter { $0.value.peers > 0 || now - $0.value.lastUsed < .seconds(2) }
        }
        guard accounts[address] != nil || accounts.count < limits.addresses else { return body(&shared) }
        let limits = limits
        return body(&accounts[address, default: Self.account(limits, at: now)])
    }

    /// Whether a check of an unknown peer may be looked at.
    mutating func allowsCheck(from address: IPAddress, at now: Timestamp) -> Bool {
        let isAllowed =
            address.isLoopback
            || update(address, at: now) {
                $0.lastUsed = now
                return $0.checks.take(at: now)
            }
        // The address' own share first: what one may not have must not be taken from all.
        return isAllowed && allChecks.take(at: now)
    }

    /// Whether a refusal may be sent.
    mutating func allowsRefusal(at now: Timestamp) -> Bool { refusals.take(at: now) }

    /// Counts a new peer, if there may be one more from its address.
    mutating func addPeer(at address: IPAddress, _ now: Timestamp) -> Bool {
        let limit = address.isLoopback ? limits.peers : limits.peersPerAddress
        return update(address, at: now) {
            guard $0.peers < limit else { return false }
            $0.peers += 1
            return true
        }
    }

    /// Counts a peer no more.
    mutating func removePeer(at address: IPAddress, _ now: Timestamp) {
        // One that was counted with the others' since there were too many accounts is counted there no more.
        if let peers = accounts[address]?.peers, peers > 0 {
            accounts[address]?.peers = peers - 1
        } else {
            shared.peers = max(0, shared.peers - 1)
        }
    }

    /// Counts a handshake that begins, if one may.
    mutating func beginHandshake(at address: IPAddress, _ now: Timestamp) -> Bool {
        guard handshakes < limits.handshakes else { return false }
        let isLoopback = address.isLoopback
        let limit = limits.handshakesPerAddress
        let isAllowed = update(address, at: now) {
            isLoopback || $0.handshakes < limit && $0.begun.take(at: now)
        }
        guard isAllowed, allBegun.take(at: now) else { return false }
        update(address, at: now) { $0.handshakes += 1 }
        handshakes += 1
        return true
    }

    /// Counts a handshake no more.
    mutating func endHandshake(at address: IPAddress, _ now: Timestamp) {
        handshakes -= 1
        if let own = accounts[address]?.handshakes, own > 0 {
            accounts[address]?.handshakes = own - 1
        } else {
            shared.handshakes = max(0, shared.handshakes - 1)
        }
    }
}
