import SansIO
import Wire

/// Bounds what the server sends to those who have proven nothing, since their addresses may be forged.
///
/// Answers to Binding requests are not counted: 12 octets longer than what asks for them they amplify nothing
/// (RFC 8489 section 16.1), and to count them would only let a flood keep others from theirs.
struct ChallengeLimiter: Sendable {
    private let limits: TURNLimits
    private var octets: TokenBucket
    private var others: TokenBucket
    private var byAddress: [IPAddress: TokenBucket] = [:]
    private var lastCleared = Timestamp.zero

    init(limits: TURNLimits) {
        self.limits = limits
        octets = TokenBucket(rate: limits.challengeOctets, burst: limits.challengeOctets, now: .zero)
        others = TokenBucket(rate: limits.challengesPerAddress, burst: limits.challengesPerAddress, now: .zero)
    }

    /// Whether an answer of `count` octets may be sent to `address`; if so it is accounted for.
    mutating func allows(_ count: Int, to address: IPAddress, at now: Timestamp) -> Bool {
        guard takeChallenge(for: address, at: now) else { return false }
        return octets.take(Double(count), at: now)
    }

    private mutating func takeChallenge(for address: IPAddress, at now: Timestamp) -> Bool {
        if byAddress[address] == nil {
            // An allowance is whole again after a second, so forgetting all of them then gives nobody more.
            if now - lastCleared >= .seconds(1) {
                byAddress.removeAll(keepingCapacity: true)
                lastCleared = now
            }
            guard byAddress.count < limits.addressesCounted else { return others.take(at: now) }
            byAddress[address] = TokenBucket(
                rate: limits.challengesPerAddress, burst: limits.challengesPerAddress, now: now)
        }
        return byAddress[address]?.take(at: now) ?? false
    }
}
