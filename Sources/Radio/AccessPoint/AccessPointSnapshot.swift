public import IEEE80211
import NL80211
public import Stations
public import Wire

/// How an access point is doing at one time.
public struct AccessPointSnapshot: Sendable {
    /// Where it is.
    public enum State: Hashable, Sendable {
        /// Not wanted.
        case stopped
        /// On the way.
        case starting
        /// For something to happen or to be mended.
        case waiting
        /// Beacons are sent.
        case up
    }

    /// One station.
    public struct Station: Hashable, Sendable {
        /// Its address.
        public let address: MACAddress
        /// Whether its data passes.
        public let isAuthorized: Bool
        /// How it shows that it knows the passphrase.
        public let akm: AKMSuite
        /// Whether management frames are protected.
        public let usesMFP: Bool
        /// Signal in dBm, where it is known.
        public let signal: Int?
        /// The rate of the last frame to it, in units of 100 kb/s, where it is known.
        public let rate: Int?
        /// For how long it was not heard at the last look, where it is known.
        public let inactive: Duration?
    }

    /// What is beaconed.
    public struct Beacon: Hashable, Sendable {
        /// The interface.
        public let interface: String
        /// The interface's address.
        public let bss: MACAddress
        /// The radio.
        public let radio: String
        /// Who does what on it.
        public let kind: StationsConfiguration.Kind
        /// Where it is.
        public let channel: OperatingChannel
        /// The network's name.
        public let ssid: [UInt8]
        /// The AKMs that are offered.
        public let akms: [AKMSuite]
        /// The country whose rules are in force; `00` for what is allowed everywhere.
        public let country: String
    }

    /// Where it is.
    public let state: State
    /// What is beaconed, while it is up.
    public let beacon: Beacon?
    /// Who is on it.
    public let stations: [Station]
    /// The most that may be on it at once, while it is up.
    public let stationLimit: Int?
    /// Who was refused lately, the newest last.
    public let refusals: [Refusal]
    /// What is wrong.
    public let trouble: [AccessPointTrouble]
    /// What it has done so far.
    public let counters: AccessPointCounters
    /// What its stations have done since the beacon began.
    public let stationCounters: StationsCounters?

    /// That of an access point that could not begin yet.
    public static func waiting(_ trouble: AccessPointTrouble) -> AccessPointSnapshot {
        AccessPointSnapshot(
            state: .waiting, beacon: nil, stations: [], stationLimit: nil, refusals: [], trouble: [trouble],
            counters: AccessPointCounters(), stationCounters: nil)
    }

    /// That of an access point that is stopped.
    public static let none = AccessPointSnapshot(
        state: .stopped, beacon: nil, stations: [], stationLimit: nil, refusals: [], trouble: [],
        counters: AccessPointCounters(), stationCounters: nil)
}

extension AccessPoint {
    /// What is wrong.
    public var trouble: [AccessPointTrouble] {
        var full: AccessPointTrouble?
        switch stations {
        case .some(let present): if present.isFull { full = .full(present.places) }
        case .none: break
        }
        var disturbed: AccessPointTrouble?
        if let running = present, running.strangeScans.count >= Running.strangeScansTold {
            disturbed = .disturbed(running.name)
        }
        return [failure].compactMap { $0 } + notes + [disturbed, full].compactMap { $0 }
    }

    /// How it is doing.
    public var snapshot: AccessPointSnapshot {
        let running = present
        let state: AccessPointSnapshot.State =
            switch phase {
            case .stopped: .stopped
            case .waiting: .waiting
            case .settingUp: .starting
            case .running, .leaving: .up
            }
        var reports: [StationReport] = []
        var limit: Int?
        var refusals: [Refusal] = []
        var stationCounters: StationsCounters?
        switch stations {
        case .some(let present):
            reports = present.reports
            limit = present.limit
            refusals = present.refusals
            stationCounters = present.counters
        case .none: break
        }
        let list = reports.map { report in
            let information = running?.information[report.address]
            return AccessPointSnapshot.Station(
                address: report.address, isAuthorized: report.state == .authorized, akm: report.akm,
                usesMFP: report.usesMFP, signal: information?.signal.map(Int.init) ?? report.signal,
                rate: information?.transmitRate.map(Int.init),
                inactive: information?.inactiveMilliseconds.map { .milliseconds(Int64($0)) })
        }
        return AccessPointSnapshot(
            state: state,
            beacon: running.map {
                AccessPointSnapshot.Beacon(
                    interface: $0.name, bss: $0.interface.address, radio: $0.radio.name, kind: $0.security.kind,
                    channel: $0.channel, ssid: $0.description.ssid, akms: $0.description.rsn.akms, country: $0.country)
            },
            stations: list, stationLimit: limit, refusals: refusals, trouble: trouble, counters: counters,
            stationCounters: stationCounters)
    }
}
