import IEEE80211

/// A channel as the radio reports it under the regulatory domain in force.
struct ChannelReport: Hashable, Sendable {
    /// The centre, in MHz.
    var frequency: Int
    /// Whether an access point may begin to send there of its own accord: not disabled, not receive-only, no radar to
    /// watch for.
    var mayBegin: Bool
    /// Whether 80 MHz around it are allowed.
    var allows80: Bool
    /// Whether 40 MHz are allowed, with the second 20 above and below.
    var allows40: (above: Bool, below: Bool)
    /// The highest power, in dBm.
    var maximumPower: Int

    static func == (left: ChannelReport, right: ChannelReport) -> Bool {
        left.frequency == right.frequency && left.mayBegin == right.mayBegin && left.allows80 == right.allows80
            && left.allows40 == right.allows40 && left.maximumPower == right.maximumPower
    }

    func hash(into hasher: inout Hasher) { hasher.combine(frequency) }
}

/// Another access point that a scan found.
struct Neighbour: Hashable, Sendable {
    /// Its primary channel's centre, in MHz.
    var frequency: Int
    /// How strong it is here, in dBm.
    var signal: Int
}

/// Which channels an access point may take, and which of them is best.
struct ChannelPlan {
    /// The channels of 20 MHz in 2.4 GHz that don't disturb each other.
    static let separate: [Int] = [2412, 2437, 2462]
    /// 2.4 GHz channels that are legal in every country: 1 to 11.
    static let legalEverywhere = 2412...2462
    /// Signals weaker than this, in dBm, don't disturb.
    static let floor = -95

    /// Possible channels, the widest that is allowed at each place.
    private(set) var candidates: [OperatingChannel] = []
    /// Whether the channel that was asked for may not be used.
    private(set) var requestIsRefused = false
    /// The highest power of each candidate's primary channel.
    private var power: [Int: Int] = [:]

    /// Makes a plan.
    /// - Parameters:
    ///   - reports: the radio's channels.
    ///   - request: the channel's number that the owner asks for, or nil.
    ///   - countryIsKnown: whether the rules in force are the country's; without, only what is legal everywhere is used.
    ///   - hasHT: whether the radio has HT, by band.
    ///   - hasVHT: whether the radio has VHT in 5 GHz.
    ///   - widthLimit: the widest to use; smaller after the chip refused a wider one.
    init(
        reports: [ChannelReport], request: Int?, countryIsKnown: Bool, hasHT: (RadioBand) -> Bool, hasVHT: Bool,
        widthLimit: ChannelWidth = .mhz80
    ) {
        let usable = reports.filter {
            $0.mayBegin && (countryIsKnown || Self.legalEverywhere.contains($0.frequency))
        }
        let frequencies = Set(usable.map(\.frequency))
        let places = usable.compactMap { report -> OperatingChannel? in
            guard let narrow = OperatingChannel(frequency: report.frequency, width: .mhz20NoHT) else { return nil }
            power[report.frequency] = report.maximumPower
            guard hasHT(narrow.band), widthLimit > .mhz20NoHT else { return narrow }
            let widths: [ChannelWidth] = hasVHT ? [.mhz80, .mhz40, .mhz20] : [.mhz40, .mhz20]
            for width in widths where width <= widthLimit {
                guard let channel = OperatingChannel(frequency: report.frequency, width: width),
                    Self.members(of: channel).allSatisfy(frequencies.contains), Self.allows(report, channel)
                else { continue }
                return channel
            }
            return narrow
        }
        if let request {
            candidates = places.filter { Int($0.number) == request }
            requestIsRefused = candidates.isEmpty
            if !requestIsRefused { return }
        }
        let wide = places.filter { $0.band == .ghz5 }
        candidates = wide.isEmpty ? places.filter { Self.separate.contains($0.frequency) } : wide
        // A radio may know only some of them.
        if candidates.isEmpty { candidates = places }
    }

    /// The centres of the 20 MHz channels that a channel is made of.
    static func members(of channel: OperatingChannel) -> [Int] {
        let count = channel.width.megahertz / 20
        let first = channel.centerFrequency - 10 * (count - 1)
        return (0..<count).map { first + 20 * $0 }
    }

    private static func allows(_ report: ChannelReport, _ channel: OperatingChannel) -> Bool {
        switch channel.width {
        case .mhz20NoHT, .mhz20: true
        case .mhz40, .mhz80:
            (channel.secondaryOffset > 0 ? report.allows40.above : report.allows40.below)
                && (channel.width == .mhz40 || report.allows80)
        }
    }

    /// The frequencies to scan for neighbours before choosing, in MHz; empty where there is no choice.
    var scanFrequencies: [Int] {
        guard candidates.count > 1 else { return [] }
        guard candidates.first?.band == .ghz2 else {
            return Set(candidates.flatMap(Self.members)).sorted()
        }
        return candidates.map(\.frequency).sorted()
    }

    /// The best candidate.
    /// - Parameters:
    ///   - neighbours: what a scan found; empty without one.
    ///   - busy: how much of the time each frequency in MHz is in use, 0 to 1, where a survey tells.
    func choose(neighbours: [Neighbour], busy: [Int: Double] = [:]) -> OperatingChannel? {
        candidates.min { left, right in
            let (first, second) = (load(left, neighbours, busy), load(right, neighbours, busy))
            if first != second { return first < second }
            if left.width != right.width { return left.width > right.width }
            let (firstPower, secondPower) = (power[left.frequency] ?? 0, power[right.frequency] ?? 0)
            return firstPower != secondPower ? firstPower > secondPower : left.frequency < right.frequency
        }
    }

    /// How much a channel is disturbed: decibels above the floor of each neighbour that it overlaps with.
    private func load(_ channel: OperatingChannel, _ neighbours: [Neighbour], _ busy: [Int: Double]) -> Int {
        let reach = channel.width.megahertz / 2 + 10
        let heard = neighbours.reduce(0) { sum, neighbour in
            let distance = abs(neighbour.frequency - channel.centerFrequency)
            return distance < reach ? sum + max(0, neighbour.signal - Self.floor) : sum
        }
        let share = Self.members(of: channel).compactMap { busy[$0] }.max() ?? 0
        return heard + Int(share * 100)
    }
}
