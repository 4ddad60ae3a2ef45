import IEEE80211
import SAE
import SansIO
import WiFiCrypto
import Wire

// Authentication frames (IEEE 802.11-2020, 11.3.4, 12.4). Only soft-MAC has them.

extension Stations {
    mutating func authenticate(
        _ body: RawSpan, _ header: ManagementHeader, at now: Timestamp, into output: inout StationsOutput
    ) {
        let station = header.source
        guard let frame = try? AuthenticationFrame(body: body) else {
            counters.malformedFrames += 1
            return
        }
        switch frame.algorithm {
        case .openSystem:
            guard frame.transaction == 1 else {
                refuse(station, .authenticationOutOfTurn, at: now, into: &output)
                return answer(station, .openSystem, 2, .authenticationTransactionUnexpected, into: &output)
            }
            guard !isFull(for: station) else {
                refuse(station, .full, at: now, into: &output)
                return answer(station, .openSystem, 2, .tooManyStations, into: &output)
            }
            // An association that stands is left as it is: this frame may be anybody's (11.13).
            keep(Authenticated(method: .open, since: now), of: station)
            answer(station, .openSystem, 2, .success, into: &output)
        case .sae where sae != nil:
            guard !isFull(for: station) else {
                refuse(station, .full, at: now, into: &output)
                return answer(station, .sae, frame.transaction, .tooManyStations, into: &output)
            }
            let wake = sae?.handle(
                .authentication(
                    from: station, transaction: frame.transaction, status: frame.status, body: frame.rest),
                at: now, into: &saeOutput)
            saeWake = wake ?? nil
            carryOutSAE(at: now, into: &output)
        default:
            refuse(station, .authenticationAlgorithm(frame.algorithm), at: now, into: &output)
            answer(
                station, frame.algorithm, frame.transaction &+ 1, .authenticationAlgorithmUnsupported, into: &output)
        }
    }

    private mutating func answer(
        _ station: MACAddress, _ algorithm: AuthenticationAlgorithm, _ transaction: UInt16, _ status: StatusCode,
        into output: inout StationsOutput
    ) {
        send(.authentication, to: station, into: &output) {
            AuthenticationFrame.write(algorithm: algorithm, transaction: transaction, status: status, into: &$0)
        }
    }

    /// How a station authenticated that has yet to associate; nil when it didn't, or long ago.
    func authentication(of station: MACAddress, at now: Timestamp) -> Authenticated.Method? {
        guard let known = authentications[station], known.since + configuration.limits.authenticationLifetime > now
        else { return nil }
        return known.method
    }

    /// Keeps an authentication until the association. When there is no room the oldest gives way, and who has shown nothing
    /// before who knows the password: an open authentication costs a stranger one frame, SAE costs a phone its whole exchange.
    mutating func keep(_ authentication: Authenticated, of station: MACAddress) {
        if authentications[station] == nil, authentications.count >= configuration.limits.maximumAuthentications,
            let victim = authentications.min(by: {
                ($0.value.method.isProof ? 1 : 0, $0.value.since, $0.key)
                    < ($1.value.method.isProof ? 1 : 0, $1.value.since, $1.key)
            })
        {
            authentications[victim.key] = nil
        }
        authentications[station] = authentication
    }

    mutating func wakeSAE(at now: Timestamp, into output: inout StationsOutput) {
        let wake = sae?.handle(.wake, at: now, into: &saeOutput)
        saeWake = wake ?? nil
        carryOutSAE(at: now, into: &output)
    }

    private mutating func carryOutSAE(at now: Timestamp, into output: inout StationsOutput) {
        for frame in saeOutput.frames {
            let body = saeOutput.written.bytes[frame.body]
            send(.authentication, to: frame.destination, into: &output) {
                AuthenticationFrame.write(
                    algorithm: .sae, transaction: frame.transaction, status: frame.status, rest: body, into: &$0)
            }
        }
        for event in saeOutput.events {
            switch event {
            case .accepted(let station, let pmk, let pmkid, let method):
                keep(
                    Authenticated(method: .sae(pmk: pmk, pmkid: pmkid, by: method), since: now), of: station)
            case .refused(let station, .wrongPassword): refuse(station, .wrongPassphrase, at: now, into: &output)
            case .refused(let station, let refusal):
                refuse(station, .sae(refusal.description), at: now, into: &output)
            }
        }
        saeOutput.removeAll()
    }
}
