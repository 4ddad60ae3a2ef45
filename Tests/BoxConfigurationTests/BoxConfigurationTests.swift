import Testing
import Wire

@testable import BoxConfiguration

@Suite struct BoxConfigurationTests {
    @Test func nothingSetGivesTheDefaultsOfTheRole() throws {
        let person = try load()
        #expect(person.configuration == BoxConfiguration(for: .person))
        #expect(person.configuration.http.port == 8080)
        #expect(person.configuration.https.port == 8443)
        #expect(person.configuration.panel.model == .terminal)
        #expect(person.rows.allSatisfy { $0.source == "default" })
        let service = try load(role: .service).configuration
        #expect(service.http.port == 80)
        #expect(service.https.port == 443)
        #expect(service.panel.model == .none)
    }

    @Test func everyKeyIsReadFromTheFile() throws {
        let yaml = """
            name: Café 2
            addresses: [192.168.7.1, 10.0.0.1]
            names:
              - Box.Example.org
              - party
            http:
              port: 81
            https: {port: 444}
            link:
              scheme: https
            certificate:
              chain: /c.pem
              key: "/k.pem"
            web:
              root: /site
            stun:
              port: 3479
            turn:
              enabled: false
              ports: 50000-50999
              lifetime: 600
            hub:
              enabled: true
              port: 4712
              base: https://calls.example.org/app
            discovery: true
            direct: echo
            broker:
              key: other
              path: /signal
              discovery: true
              open: false
              clients: 40
            room:
              people: 32
              grace: 30
            country: de
            wifi:
              mode: auto
              interface: wlx0013ef
              channel: 36
              security: wpa3
              name: Café
              stations: 7
              silence: 90
              rekey: 2
              subnet: 192.168.50.0/24
            panel:
              model: png
              turn: 0
              spi: /dev/spidev0.0
              clock: auto
              accent: red
              size: 128x296
              path: /srv/panel.png
            language: he
            button:
              enabled: true
              shutdown: /sbin/poweroff -f
            control:
              group: wheel
            log:
              level: trace
            """
        let files = MemoryFiles(contents: ["/c.pem": "", "/k.pem": ""], directories: ["/site"])
        let loaded = try load(yaml, files: files)
        let configuration = loaded.configuration
        #expect(configuration.name == "Café 2")
        #expect(configuration.addresses == [.v4(0xC0A8_0701), .v4(0x0A00_0001)])
        #expect(configuration.names == ["box.example.org", "party"])
        #expect(configuration.http.port == 81)
        #expect(configuration.https.port == 444)
        #expect(configuration.link.scheme == .https)
        #expect(configuration.certificate == .init(chain: "/c.pem", key: "/k.pem"))
        #expect(configuration.web.root == "/site")
        #expect(configuration.stun.port == 3479)
        #expect(!configuration.turn.enabled)
        #expect(configuration.turn.ports == 50000...50999)
        #expect(configuration.turn.lifetime == .seconds(600))
        #expect(configuration.hub.enabled)
        #expect(configuration.hub.port == 4712)
        #expect(configuration.hub.base == "https://calls.example.org/app")
        #expect(configuration.discovery)
        #expect(configuration.direct == .echo)
        #expect(configuration.broker.key == "other")
        #expect(configuration.broker.path == "/signal/")
        #expect(configuration.broker.discovery)
        #expect(!configuration.broker.open)
        #expect(configuration.broker.clients == 40)
        #expect(configuration.room.people == 32)
        #expect(configuration.room.grace == .seconds(30))
        #expect(configuration.country == "DE")
        #expect(configuration.wifi.mode == .auto)
        #expect(configuration.wifi.interface == "wlx0013ef")
        #expect(configuration.wifi.channel == 36)
        #expect(configuration.wifi.security == .wpa3)
        #expect(configuration.wifi.name == "Café")
        #expect(configuration.wifi.stations == 7)
        #expect(configuration.wifi.silence == .seconds(90))
        #expect(configuration.wifi.rekey == .seconds(2))
        #expect(configuration.wifi.subnet == IPNetwork(.v4(0xC0A8_3200), prefixLength: 24))
        #expect(configuration.panel.model == .png)
        #expect(configuration.panel.accent == .red)
        #expect(configuration.panel.size == .init(width: 128, height: 296))
        #expect(configuration.panel.path == "/srv/panel.png")
        #expect(configuration.language == .hebrew)
        #expect(configuration.button.enabled == .yes)
        #expect(configuration.button.shutdown == ["/sbin/poweroff", "-f"])
        #expect(configuration.control.group == "wheel")
        #expect(configuration.log.level == .trace)
        // A key that this test forgets shows up as a default.
        #expect(loaded.rows.filter { $0.source == "default" } == [])
    }

    @Test func flagsGoBeforeEnvironmentBeforeFileBeforeDefaults() throws {
        let yaml = """
            http:
              port: 1001
            https:
              port: 1002
            stun:
              port: 1003
            """
        let environment = ["KIBITZ_HTTPS_PORT": "2002", "KIBITZ_STUN_PORT": "2003", "HOME": "/"]
        let loaded = try load(yaml, environment: environment, flags: ["stun.port=3002", "stun.port=3003"])
        func source(_ key: String) -> String? { loaded.rows.first { $0.key == key }?.source }
        #expect(loaded.configuration.http.port == 1001)
        #expect(source("http.port") == "config.yaml:2")
        #expect(loaded.configuration.https.port == 2002)
        #expect(source("https.port") == "KIBITZ_HTTPS_PORT")
        #expect(loaded.configuration.stun.port == 3003)
        #expect(source("stun.port") == "--set")
        #expect(source("room.people") == "default")
    }

    @Test func listsInEnvironmentAndFlagsAreSeparatedByCommas() throws {
        let loaded = try load(
            "names: [file]", environment: ["KIBITZ_ADDRESSES": "192.168.1.1, 10.0.0.1"], flags: ["names=a.example , b"])
        #expect(loaded.configuration.addresses == [.v4(0xC0A8_0101), .v4(0x0A00_0001)])
        #expect(loaded.configuration.names == ["a.example", "b"])
        // Empty text is how an override says "none".
        #expect(try load("names: [file]", flags: ["names="]).configuration.names == [])
        #expect(try load("names: [file]", environment: ["KIBITZ_NAMES": ""]).configuration.names == [])
    }

    @Test func wifiIsAGroupOrOneWord() throws {
        #expect(try load().configuration.wifi.mode == .none)
        #expect(try load(role: .service).configuration.wifi.mode == .auto)
        #expect(try load("wifi: none", role: .service).configuration.wifi.mode == .none)
        #expect(try load("wifi: auto").configuration.wifi.mode == .auto)
        // Who says how, wants it.
        let group = try load("name: x\nwifi:\n  interface: wlan1")
        #expect(group.configuration.wifi.mode == .auto)
        #expect(group.configuration.wifi.interface == "wlan1")
        #expect(group.rows.first { $0.key == "wifi.mode" }?.source == "config.yaml:2")
        #expect(try load("wifi: {mode: none, channel: 6}").configuration.wifi.mode == .none)
        #expect(try load("wifi: {}").configuration.wifi.mode == .none)
        #expect(try load("wifi:\n", role: .service).configuration.wifi.mode == .auto)
        // A flag or a variable that names a detail does not overrule a file that says none.
        #expect(try load("wifi: none", flags: ["wifi.channel=6"]).configuration.wifi.mode == .none)
        #expect(try load("wifi: none", flags: ["wifi=auto"]).configuration.wifi.mode == .auto)
        let environment = try load(environment: ["KIBITZ_WIFI": "auto", "KIBITZ_WIFI_CHANNEL": "11"])
        #expect(environment.configuration.wifi.mode == .auto)
        #expect(environment.configuration.wifi.channel == 11)
        #expect(try load(environment: ["KIBITZ_WIFI_MODE": "auto"]).configuration.wifi.mode == .auto)
        #expect(try load("country: \"\"").configuration.country == nil)
    }

    @Test func listingShowsEveryKeyWithValueAndSource() throws {
        let loaded = try load("name: Box\n", environment: ["KIBITZ_LOG_LEVEL": "debug"])
        let lines = loaded.listing.split(separator: "\n")
        #expect(lines.count == Setting.all.count)
        let words = lines.map { $0.split(separator: " ").map(String.init) }
        #expect(words.contains(["name", "Box", "config.yaml:1"]))
        #expect(words.contains(["log.level", "debug", "KIBITZ_LOG_LEVEL"]))
        #expect(words.contains(["web.root", "\"\"", "default"]))
        #expect(words.contains(["addresses", "[]", "default"]))
        #expect(words.contains(["turn.ports", "49152-65535", "default"]))
    }

    @Test(arguments: [
        "", "\n\n", "# only a remark\n", "---\n", "---\n...\n", "~\n", "\u{FEFF}# a byte order mark\n", "http:\n",
    ])
    func aFileWithNoSettingsIsFine(_ yaml: String) throws {
        #expect(try load(yaml).configuration == BoxConfiguration(for: .person))
    }

    @Test func theDefaultFileMayBeMissingAndANamedOneMayNot() throws {
        let defaults = BoxConfiguration(for: .service)
        let loaded = try ConfigurationLoader.load(defaults: defaults, files: MemoryFiles())
        #expect(loaded.configuration == defaults)
        #expect(throws: ConfigurationProblems.self) {
            try ConfigurationLoader.load(file: "/no/such", defaults: defaults, files: MemoryFiles())
        }
        let files = MemoryFiles(contents: [ConfigurationLoader.defaultPath: "name: Here"])
        let found = try ConfigurationLoader.load(defaults: defaults, files: files)
        #expect(found.configuration.name == "Here")
        #expect(found.rows.first?.source == "/etc/kibitz-local/config.yaml:1")
    }
}

@Suite struct SettingTableTests {
    @Test func everyDefaultReadsBackAsItself() throws {
        for role in [BoxConfiguration.Role.person, .service] {
            let defaults = BoxConfiguration(for: role)
            let sample = ConfigurationLoader.sample(of: defaults)
            #expect(problems(sample) == [])
            // Taking away every "#" that is not a remark's gives all defaults, now set by the file.
            let uncommented = sample.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                line.hasPrefix("# ") && !line.hasPrefix("#  ") ? line : line.drop { $0 == "#" }
            }.joined(separator: "\n")
            let loaded = try load(uncommented, role: role == .person ? .service : .person)
            #expect(loaded.configuration == defaults)
            #expect(loaded.rows.allSatisfy { $0.source.hasPrefix("config.yaml:") })
        }
    }

    @Test func keysAndTheirEnvironmentVariablesAreAllDifferent() {
        let keys = Setting.all.map(\.key)
        #expect(Set(keys).count == keys.count)
        let variables = Set(keys.map { $0.replacing(".", with: "_").uppercased() })
        #expect(variables.count == keys.count)
        // A key must not be a group as well, and keys of a group stand together in the sample.
        #expect(!keys.contains(where: Setting.isGroup))
        var seen: [String] = []
        for group in keys.map({ Setting.group(of: $0) ?? $0 }) where group != seen.last {
            #expect(!seen.contains(group), "\(group) stands apart")
            seen.append(group)
        }
    }

    @Test func summariesAreSentences() {
        for setting in Setting.all {
            #expect(setting.summary.last == ".", "\(setting.key)")
            #expect(setting.summary.count < 100, "\(setting.key)")
        }
    }
}

@Suite struct RootFileSystemTests {
    @Test func theImageHasTheSampleOfToday() throws {
        let path =
            #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
            + "/overlays/rootfs" + ConfigurationLoader.defaultPath
        let text = String(decoding: try SystemFiles().read(path, atMost: 1 << 16), as: UTF8.self)
        #expect(
            text == ConfigurationLoader.sample(of: BoxConfiguration(for: .service)),
            "made by: kibitz-local config --sample --service")
    }
}
