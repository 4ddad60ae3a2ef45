import IEEE80211
public import SansIO
public import WiFiCrypto
public import Wire

/// Simultaneous authentication of equals on group 19, as an access point does it with all its stations (IEEE 802.11-2020,
/// 12.4), without radio, clock or threads.
///
/// The station speaks first and sends again what got lost; we answer a commit with a commit and a confirm with a confirm,
/// as every access point does in practice, and so never send on our own. A station that does not know the password learns
/// nothing, and can try one password for each exchange.
public struct SAEAuthenticator: Sendable {
    /// What it has done so far.
    public internal(set) var counters = SAECounters()
    /// Our address, the BSSID.
    let address: MACAddress
    let accepts: Set<SAEMethod>
    let limits: SAELimits
    let curve: P256
    let password: SAEPassword
    var generator: any RandomNumberGenerator & Sendable
    var tokens: AntiCloggingTokens
    var work: TokenBucket
    var cache: PMKSACache
    var exchanges: [SAEExchangeID: SAEExchange] = [:]
    var halfOpen = 0
    private var started: UInt64 = 0
    /// When the next exchange expires; may be early, never late.
    private var deadline: Timestamp?

    /// Makes an authenticator without exchanges. It takes some milliseconds.
    /// - Parameters:
    ///   - password: the octets of the password.
    ///   - ssid: the network's name, of which hash-to-element makes use.
    ///   - bss: our address.
    ///   - accepts: how stations may find the password element.
    ///   - limits: how much of everything.
    ///   - generator: must be cryptographically strong.
    public init(
        password: SecretBytes, ssid: [UInt8], bss: MACAddress, accepts: Set<SAEMethod> = Set(SAEMethod.allCases),
        limits: SAELimits = SAELimits(), generator: any RandomNumberGenerator & Sendable
    ) throws(WiFiCryptoError) {
        var generator = generator
        curve = try P256()
        self.password = try SAEPassword(password, ssid: ssid, curve: curve)
        address = bss
        self.accepts = accepts
        self.limits = limits
        tokens = AntiCloggingTokens(lifetime: limits.tokenLifetime, using: &generator)
        work = TokenBucket(rate: limits.workPerSecond, burst: limits.workPerSecond, now: .zero)
        cache = PMKSACache(limit: limits.cachedKeys, lifetime: limits.cachedKeyLifetime)
        self.generator = generator
    }

    /// How many exchanges there are, those that are done and still remembered included.
    public var exchangeCount: Int { exchanges.count }
    /// How many exchanges wait for their confirm.
    public var halfOpenCount: Int { halfOpen }
    /// How many keys are kept for stations that come back.
    public var cachedKeyCount: Int { cache.count }

    /// The key that is kept for a station, which its association request names (IEEE 802.11-2020, 12.6.10.3).
    /// - Parameters:
    ///   - address: the station.
    ///   - pmkid: the name.
    /// - Returns: it, and the method of the exchange it came from; nil when there is none of this name: the station must
    ///   go through SAE.
    public func key(
        for address: MACAddress, pmkid: some Collection<UInt8>
    ) -> (pmk: SecretBytes, method: SAEMethod)? {
        cache.key(for: address, pmkid: pmkid)
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``SAEInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(
        _ input: borrowing SAEInput, at now: Timestamp, into output: inout SAEOutput
    ) -> Timestamp? {
        expire(at: now)
        switch input {
        case .authentication(let station, let transaction, let status, let body):
            do throws(WiFiCryptoError) {
                // Nobody has a group address, and no station has ours.
                if station.isGroup || station == address {
                    counters.ignored += 1
                } else if transaction == 1 {
                    try receiveCommit(body, status, from: station, at: now, into: &output)
                } else if transaction == 2 {
                    try receiveConfirm(body, status, from: station, at: now, into: &output)
                } else {
                    counters.ignored += 1
                }
            } catch {
                refuse(station, .libraryFailed(error), transaction: transaction, into: &output)
            }
        case .forget(let station):
            for method in SAEMethod.allCases { end(SAEExchangeID(address: station, method: method)) }
            cache.remove(station)
        case .forgetAll:
            exchanges.removeAll()
            halfOpen = 0
            deadline = nil
            cache.removeAll()
        case .wake:
            break
        }
        guard let deadline, let other = cache.deadline else { return deadline ?? cache.deadline }
        return min(deadline, other)
    }

    // MARK: Exchanges

    /// Whether there is time for work; if so it is accounted for.
    mutating func mayWork(_ multiplications: Double, at now: Timestamp) -> Bool {
        let may = work.take(multiplications, at: now)
        if !may { counters.overworked += 1 }
        return may
    }

    /// Begins an exchange, in the place of one of the same station and of the oldest if there are too many.
    mutating func begin(_ id: SAEExchangeID, _ committed: SAECommitted, at now: Timestamp) {
        end(id)
        if halfOpen >= limits.halfOpenExchanges {
            evictOldest(halfOpen: true)
            counters.evicted += 1
        }
        started += 1
        let expires = now + limits.exchangeLifetime
        exchanges[id] = SAEExchange(number: started, expires: expires, state: .committed(committed))
        halfOpen += 1
        deadline = min(deadline ?? expires, expires)
    }

    /// Ends an exchange with a key. As many are remembered as may be half open.
    mutating func accept(_ id: SAEExchangeID, _ accepted: SAEAccepted, at now: Timestamp) {
        end(id)
        if exchanges.count - halfOpen >= limits.halfOpenExchanges { evictOldest(halfOpen: false) }
        started += 1
        let expires = now + limits.exchangeLifetime
        exchanges[id] = SAEExchange(number: started, expires: expires, state: .accepted(accepted))
        deadline = min(deadline ?? expires, expires)
    }

    mutating func end(_ id: SAEExchangeID) {
        guard let exchange = exchanges.removeValue(forKey: id) else { return }
        switch exchange.state {
        case .committed: halfOpen -= 1
        case .accepted: break
        }
    }

    private mutating func evictOldest(halfOpen: Bool) {
        let oldest = exchanges.lazy.filter { $0.value.isHalfOpen == halfOpen }.min { $0.value.number < $1.value.number }
        if let oldest { end(oldest.key) }
    }

    private mutating func expire(at now: Timestamp) {
        cache.expire(at: now)
        guard let deadline, now >= deadline else { return }
        var next: Timestamp?
        for (id, exchange) in exchanges {
            if exchange.expires <= now {
                if exchange.isHalfOpen { counters.expired += 1 }
                end(id)
            } else {
                next = min(next ?? exchange.expires, exchange.expires)
            }
        }
        self.deadline = next
    }

    // MARK: Refusals

    /// Refuses a station and tells it so with the status that it understands.
    mutating func refuse(
        _ station: MACAddress, _ refusal: SAERefusal, transaction: UInt16, into output: inout SAEOutput
    ) {
        if refusal == .wrongPassword { counters.wrongPasswords += 1 } else { counters.refused += 1 }
        output.events.append(.refused(station, refusal))
        switch refusal {
        case .wrongPassword:
            output.send(to: station, transaction: transaction, status: .challengeFailure)
        case .unsupportedGroup(let group):
            output.send(to: station, transaction: transaction, status: .unsupportedFiniteCyclicGroup) {
                $0.write(group.byteSwapped)
            }
        case .unknownPasswordIdentifier:
            output.send(to: station, transaction: transaction, status: .unknownPasswordIdentifier)
        case .unsupportedMethod, .downgrade, .malformed, .invalidShare, .libraryFailed:
            output.send(to: station, transaction: transaction, status: .unspecifiedFailure)
        case .tooManyRetransmissions:
            // It did not hear six answers; a seventh frame that makes it give up is no help.
            break
        }
    }
}

extension SAEExchange {
    /// Whether the confirm is still to come.
    var isHalfOpen: Bool {
        switch state {
        case .committed: true
        case .accepted: false
        }
    }
}
