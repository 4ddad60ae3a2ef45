import IEEE80211
import SansIO
import Wire

// SA Query (IEEE 802.11-2020, 11.13): whether a station still has its keys, before anything unprotected ends them.

extension Stations {
    private static func timeUnits(_ count: UInt32) -> Duration {
        .microseconds(Int64(count) * Int64(TimeoutInterval.timeUnitMicroseconds))
    }

    /// Stops a request to associate anew that may be anybody's: a station with protected management frames is asked
    /// first whether it still has its keys (11.3.5.3, 11.13).
    mutating func askFirst(
        _ station: Station, at now: Timestamp, into output: inout StationsOutput
    ) throws(Refused) {
        guard station.agreement.usesMFP, station.isAuthorized else { return }
        startSecurityQuery(station, at: now, into: &output)
        throw Refused(.refusedTemporarily, .securityAssociationQuery)
    }

    /// When a station that was refused for now may come back: at the end of the query, when it was asked first, or soon
    /// when too many others were joining.
    func comebackTimeUnits(of address: MACAddress, at now: Timestamp) -> UInt32 {
        guard let query = stations[address]?.securityQuery else { return configuration.limits.crowdedTimeUnits }
        let whole = configuration.limits.saQueryMaximumTimeUnits
        let left = max((query.ends - now).wholeNanoseconds, 0) / (Int64(TimeoutInterval.timeUnitMicroseconds) * 1000)
        // One more, so that it comes after the end and not just before.
        return min(UInt32(clamping: left) &+ 1, whole)
    }

    /// Asks a station whether it still has its keys; nothing more when it is being asked.
    mutating func startSecurityQuery(_ station: Station, at now: Timestamp, into output: inout StationsOutput) {
        guard station.securityQuery == nil else { return }
        station.securityQuery = Station.SecurityQuery(
            started: now, ends: now + Self.timeUnits(configuration.limits.saQueryMaximumTimeUnits), next: now,
            transactions: [])
        if let query = station.securityQuery { continueSecurityQuery(station, query, at: now, into: &output) }
    }

    mutating func continueSecurityQuery(
        _ station: Station, _ query: Station.SecurityQuery, at now: Timestamp, into output: inout StationsOutput
    ) {
        guard now < query.ends else {
            // It has lost its keys. It is not told: only a protected frame would count, which it could not read.
            return remove(station, .unspecified, .securityAssociationLost, into: &output)
        }
        var query = query
        let transaction = UInt16.random(in: .min ... .max, using: &generator)
        query.transactions.insert(transaction)
        query.next = min(now + Self.timeUnits(configuration.limits.saQueryRetryTimeUnits), query.ends)
        station.securityQuery = query
        send(.action, to: station.address, into: &output) {
            SAQuery(.request, transaction: transaction).write(into: &$0)
        }
    }

    mutating func receiveAction(
        _ body: RawSpan, _ header: ManagementHeader, at now: Timestamp, into output: inout StationsOutput
    ) {
        guard let query = try? SAQuery(body: body), let station = stations[header.source], station.isAuthorized,
            station.agreement.usesMFP, header.flags.contains(.protected)
        else { return }
        heard(header.source, inactive: .zero, at: now)
        switch query.action {
        case .request:
            send(.action, to: header.source, into: &output) {
                SAQuery(.response, transaction: query.transaction).write(into: &$0)
            }
        case .response:
            if station.securityQuery?.transactions.contains(query.transaction) == true { station.securityQuery = nil }
        }
    }
}
