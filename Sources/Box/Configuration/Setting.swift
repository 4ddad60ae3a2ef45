import Wire

/// One key of the configuration: all there is to know of it.
struct Setting: Sendable {
    /// The key, its group before the dot: `http.port`.
    let key: String
    /// What it is for, in one sentence.
    let summary: String
    /// What it takes, in words that follow "takes" and "must be": `a port (1 to 65535)`.
    let takes: String
    /// Whether it takes a list instead of one value.
    let isList: Bool
    /// What must exist at the path that is its value, for a setting that is a path.
    let path: (kind: FileKind, value: @Sendable (BoxConfiguration) -> String?)?
    /// Puts a given value in its place, or says why it cannot be.
    let read: @Sendable (GivenValue, inout BoxConfiguration) -> Refusal?
    /// The value in effect, as YAML.
    let text: @Sendable (BoxConfiguration) -> String

    /// Why a value is refused.
    struct Refusal {
        /// The words that follow the key.
        var explanation: String
        /// Which item of a list it is about; nil for the whole value.
        var item: Int?
    }
}

/// A value as it was given, before it is read.
enum GivenValue: Sendable, Equatable {
    /// One text.
    case scalar(String)
    /// A list of texts.
    case list([String])
}

extension Setting {
    /// The most items in a list.
    static let maximumListLength = 16

    typealias Member<Value> = any WritableKeyPath<BoxConfiguration, Value> & Sendable

    init<Value>(_ key: String, _ member: Member<Value>, _ type: ValueType<Value>, _ summary: String) {
        self.init(key, member, type, path: nil, summary)
    }

    /// A setting that is a path; nil, written as "", is none.
    init(_ key: String, _ member: Member<String?>, pathOf kind: FileKind, _ summary: String) {
        self.init(key, member, .path(of: kind), path: (kind, { $0[keyPath: member] }), summary)
    }

    private init<Value>(
        _ key: String, _ member: Member<Value>, _ type: ValueType<Value>,
        path: (kind: FileKind, value: @Sendable (BoxConfiguration) -> String?)?, _ summary: String
    ) {
        self.key = key
        self.summary = summary
        takes = type.words
        isList = false
        self.path = path
        read = { given, configuration in
            guard case .scalar(let text) = given, let value = type.parse(text) else {
                return Refusal(explanation: type.refusal(of: given))
            }
            configuration[keyPath: member] = value
            return nil
        }
        text = { yamlScalar(type.format($0[keyPath: member])) }
    }

    /// A setting that takes a list, in which no value may stand twice.
    init<Value: Hashable>(
        _ key: String, _ member: Member<[Value]>, listOf type: ValueType<Value>, _ plural: String, _ summary: String
    ) {
        self.key = key
        self.summary = summary
        takes = "a list of \(plural) (\(Self.maximumListLength) at most)"
        isList = true
        path = nil
        read = { given, configuration in
            guard case .list(let items) = given else { return Refusal(explanation: "must be a list of \(plural)") }
            guard items.count <= Self.maximumListLength else {
                return Refusal(explanation: "\(items.count) are too many; it takes \(Self.maximumListLength) at most")
            }
            var values: [Value] = []
            for (index, item) in items.enumerated() {
                guard let value = type.parse(item) else {
                    return Refusal(explanation: type.refusal(of: .scalar(item)), item: index)
                }
                guard !values.contains(value) else {
                    return Refusal(explanation: "\(shown(item)) stands there twice", item: index)
                }
                values.append(value)
            }
            configuration[keyPath: member] = values
            return nil
        }
        text = { configuration in
            "[\(configuration[keyPath: member].map { yamlScalar(type.format($0)) }.joined(separator: ", "))]"
        }
    }
}

extension Setting {
    /// Every key there is, in the order of the sample file. The defaults are ``BoxConfiguration``'s initial values.
    static let all: [Setting] = [
        Setting("name", \.name, .displayName, "The box's name, on the page and on the panel."),
        Setting(
            "addresses", \.addresses, listOf: .ipv4Address, "IPv4 addresses",
            "The addresses to serve and to announce, best first; [] finds them by itself."),
        Setting(
            "names", \.names, listOf: .dnsName, "DNS names", "Names of the box besides its host name with .local."),
        Setting("http.port", \.http.port, .port, "The port of the web page without encryption."),
        Setting("https.port", \.https.port, .port, "The port of the web page with encryption."),
        Setting(
            "link.scheme", \.link.scheme, .choice,
            "How the join link starts; auto is https if certificate is set, else http."),
        Setting(
            "certificate.chain", \.certificateChain, pathOf: .file,
            "Your certificate and its issuers in PEM; \"\" lets the box make its own."),
        Setting("certificate.key", \.certificateKey, pathOf: .file, "The private key of your certificate in PEM."),
        Setting(
            "web.root", \.web.root, pathOf: .directory,
            "A static site to serve instead of the built-in page; \"\" serves the built-in page."),
        Setting("stun.port", \.stun.port, .port, "The UDP port of STUN and TURN."),
        Setting("turn.enabled", \.turn.enabled, .boolean, "Relay media for phones that cannot reach each other."),
        Setting("turn.ports", \.turn.ports, .portRange, "The UDP ports that relayed media uses."),
        Setting(
            "turn.lifetime", \.turn.lifetime, .seconds(300...86400), "How long the credentials for TURN are good."),
        Setting(
            "hub.enabled", \.hub.enabled, .boolean, "Let Kibitz's hosted page join through the LAN hub of this box."),
        Setting(
            "hub.port", \.hub.port, .portOrAuto,
            "The UDP port of the hub; auto takes 4711 or another usual one, and keeps it."),
        Setting("hub.base", \.hub.base, .pageURL, "The page that the hub's link opens."),
        Setting(
            "discovery", \.discovery, .boolean,
            "Let Kibitz's app find the hub without a code; anyone on the network can then pose as it."),
        Setting(
            "direct", \.direct, .choice,
            "What the hub's port does for programs that speak WebRTC Direct; echo adds the page /direct."),
        Setting("broker.key", \.broker.key, .apiKey, "The key that PeerJS clients must name."),
        Setting("broker.path", \.broker.path, .urlPath, "The path below which the PeerJS broker answers."),
        Setting("broker.discovery", \.broker.discovery, .boolean, "Let anyone list the ids of all PeerJS clients."),
        Setting("broker.open", \.broker.open, .boolean, "Let PeerJS clients that are not in the room use the broker."),
        Setting("broker.clients", \.broker.clients, .integer(2...4096), "The most clients of the broker at one time."),
        Setting("room.people", \.room.people, .integer(2...32), "The most people in the room at one time."),
        Setting(
            "room.grace", \.room.grace, .seconds(5...3600), "How long the place of a person who dropped out is kept."),
        Setting(
            "country", \.country, .country,
            "The country the box is in, which says what its Wi-Fi may send; \"\" is unknown."),
        Setting(
            "wifi.mode", \.wifi.mode, .choice,
            "Whether the box makes its own Wi-Fi (short: \"wifi: none\"); wired is a cable to an access point."),
        Setting(
            "wifi.interface", \.wifi.interface, .interfaceOrAuto,
            "The network interface of the Wi-Fi adapter, or of the cable; auto takes the first that can."),
        Setting(
            "wifi.channel", \.wifi.channel, .channelOrAuto, "The channel; auto takes the one that is used least."),
        Setting(
            "wifi.security", \.wifi.security, .choice,
            "How phones prove that they know the passphrase; transition is WPA2 and WPA3."),
        Setting(
            "wifi.name", \.wifi.name, .networkName,
            "The Wi-Fi's name, before the suffix that changes with the passphrase."),
        Setting(
            "wifi.stations", \.wifi.stations, .integer(1...2007),
            "The most phones on the Wi-Fi at one time, if the adapter can hold as many."),
        Setting(
            "wifi.silence", \.wifi.silence, .seconds(5...3600),
            "How long a phone may be silent before the box asks if it is still there."),
        Setting(
            "wifi.rekey", \.wifi.rekey, .seconds(1...86400), "How often the Wi-Fi's group key is changed."),
        Setting(
            "wifi.subnet", \.wifi.subnet, .privateNetworkOrAuto,
            "The IPv4 network of the phones; auto takes 10.77.0.0/24 if it is free."),
        Setting(
            "panel.model", \.panel.model, .panelModel, "What shows the codes and the state (short: \"panel: none\")."),
        Setting("panel.turn", \.panel.turn, .choice, "How far the panel's picture is turned, clockwise, in degrees."),
        Setting("panel.spi", \.panel.spi, .device, "The device of the bus that the panel is on."),
        Setting(
            "panel.clock", \.panel.clock, .megahertzOrAuto, "The bus' clock; auto is what the panel's maker gives."),
        Setting("panel.accent", \.panel.accent, .choice, "The third colour of an e-paper."),
        Setting("panel.size", \.panel.size, .pictureSize, "The size of the picture for png; auto is 320x480."),
        Setting(
            "panel.path", \.panel.path, .path(of: .file),
            "The file for png, or the device for framebuffer; \"\" is the state's panel.png, or the first screen."
        ),
        Setting("language", \.language, .choice, "The language of the panel."),
        Setting(
            "button.enabled", \.button.enabled, .choice,
            "Whether the box has a button (short: \"button: false\"); auto looks for its line, KIBITZ_BUTTON."),
        Setting(
            "button.shutdown", \.button.shutdown, .command,
            "What shuts the machine down when the button is held for 3 seconds."),
        Setting(
            "control.group", \.control.group, .groupName,
            "The system group that may control the box by its local socket, besides root."),
        Setting("log.level", \.log.level, .choice, "The least important events that are logged."),
    ]

    private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })
    /// The first parts of keys with a dot.
    static let groups = Set(all.compactMap { group(of: $0.key) })

    /// The setting with this key.
    static func named(_ key: String) -> Setting? { byKey[key] }

    /// The key that a value given to a group as a whole is for: `wifi: none` is short for `wifi.mode: none`.
    static func scalarKey(of group: String) -> String? { scalarKeys[group] }

    private static let scalarKeys = ["wifi": "wifi.mode", "panel": "panel.model", "button": "button.enabled"]

    /// Whether keys stand below `key`.
    static func isGroup(_ key: String) -> Bool { groups.contains(key) }

    /// The part before the dot.
    static func group(of key: String) -> String? {
        key.firstIndex(of: ".").map { String(key[..<$0]) }
    }

    /// The keys of a group without the group's name.
    static func members(of group: String) -> [String] {
        all.filter { $0.key.hasPrefix(group + ".") }.map { String($0.key.dropFirst(group.count + 1)) }
    }

    /// The keys or groups that a key which does not exist may stand for; empty when none is near.
    static func suggestions(for key: String) -> [String] {
        let leaf = key.split(separator: ".").last.map(String.init) ?? ""
        // A slip in the name within its group, then a key that lost its group, then a slip anywhere.
        if let group = group(of: key), let near = nearest(to: leaf, among: members(of: group)) {
            return ["\(group).\(near)"]
        }
        let displaced = all.map(\.key).filter { $0.hasSuffix(".\(leaf)") && $0 != key }
        if !displaced.isEmpty, displaced.count <= 4 { return displaced }
        return nearest(to: key, among: all.map(\.key) + groups.sorted()).map { [$0] } ?? []
    }

    /// What to say of a key that does not exist.
    static func adviceForUnknown(_ key: String) -> String {
        if isGroup(key) { return "is not a key itself; it has \(members(of: key).joined(separator: ", "))" }
        let suggestions = suggestions(for: key)
        if !suggestions.isEmpty { return "no such key; did you mean \(suggestions.joined(separator: " or "))?" }
        if let group = group(of: key), isGroup(group) {
            return "no such key; \(group) has \(members(of: group).joined(separator: ", "))"
        }
        return "no such key; \"kibitz-local config\" lists all"
    }
}
