import BoxConfiguration
import Testing

@Suite struct ProblemTests {
    @Test func everythingWrongIsSaidAtOnceInOrder() {
        let yaml = """
            nmae: Box
            http:
              port: 99999
              prot: 80
            addresses:
              - 192.168.1.1
              - 192.168.1.300
            turn:
              enabled: yes
            """
        let environment = [
            "KIBITZ_HTTPS_PROT": "1", "KIBITZ_LOG_LEVEL": "loud", "KIBITZ_LEVEL": "info", "KIBITZ_X": "",
        ]
        let flags = ["room.people=99", "room", "roam.people=3"]
        #expect(
            problems(yaml, environment: environment, flags: flags) == [
                "config.yaml:1: nmae: no such key; did you mean name?",
                "config.yaml:3: http.port: 99999 is not a port (1 to 65535)",
                "config.yaml:4: http.prot: no such key; did you mean http.port?",
                "config.yaml:7: addresses: 192.168.1.300 is not an IPv4 address of a machine, such as 192.168.1.5",
                "config.yaml:9: turn.enabled: yes is not true or false",
                "KIBITZ_HTTPS_PROT: no such setting; did you mean KIBITZ_HTTPS_PORT?",
                "KIBITZ_LEVEL: no such setting; did you mean KIBITZ_LOG_LEVEL?",
                "KIBITZ_X: no such setting; \"kibitz-local config\" lists all",
                "KIBITZ_LOG_LEVEL: log.level: loud is not one of trace, debug, info, notice, warning, error, critical",
                "--set: room is not KEY=VALUE",
                "--set: roam.people: no such key; did you mean room.people?",
                "--set: room.people: 99 is not a number (2 to 32)",
            ])
    }

    @Test func aWrongValueIsReportedEvenIfAnotherOverridesIt() {
        #expect(
            problems("http:\n  port: x\n", environment: ["KIBITZ_HTTP_PORT": "81"], flags: ["http.port=82"]) == [
                "config.yaml:2: http.port: x is not a port (1 to 65535)"
            ])
    }

    @Test(arguments: [
        ("http:\n  ports: 80", "config.yaml:2: http.ports: no such key; did you mean http.port?"),
        ("htp:\n  port: 80", "config.yaml:1: htp: no such key; did you mean http?"),
        ("people: 3", "config.yaml:1: people: no such key; did you mean room.people?"),
        (
            "port: 80",
            "config.yaml:1: port: no such key; did you mean http.port or https.port or stun.port or hub.port?"
        ),
        (
            "room:\n  port: 80",
            "config.yaml:2: room.port: no such key; did you mean http.port or https.port or stun.port or hub.port?"
        ),
        ("room:\n  colour: red", "config.yaml:2: room.colour: no such key; room has people, grace"),
        ("colour: red", "config.yaml:1: colour: no such key; \"kibitz-local config\" lists all"),
        (
            "http.port: 80",
            "config.yaml:1: http.port: write \"http:\" on a line of its own, and \"port: …\" indented below it"
        ),
        ("http: 80", "config.yaml:1: http: takes no value; its keys stand indented below it: port"),
        ("http: [80]", "config.yaml:1: http: takes no value; its keys stand indented below it: port"),
        (
            "http:\n  port:\n    deep: 1",
            "config.yaml:3: http.port: must be a port (1 to 65535), and has no keys of its own"
        ),
        ("http:\n  port:", "config.yaml:2: http.port: has no value; it takes a port (1 to 65535)"),
        ("http:\n  port: [80]", "config.yaml:2: http.port: must be a port (1 to 65535), not a list"),
        ("names: box", "config.yaml:1: names: must be a list of DNS names (16 at most): [box]"),
        ("names:\n  - a\n  - {b: c}", "config.yaml:3: names: must be a list of DNS names (16 at most)"),
        ("names:\n- a\n- b\n- a", "config.yaml:4: names: a stands there twice"),
        ("name: a\nname: b", "config.yaml:2: name: stands there twice, first in line 1"),
        ("http:\n  port: 80\nname: x\nhttp:\n  port: 81", "config.yaml:4: http: stands there twice, first in line 1"),
        ("[name]: x", "config.yaml:1: a key must be a word"),
        ("- name", "config.yaml:1: settings are written as \"key: value\", one on each line"),
        ("name", "config.yaml:1: settings are written as \"key: value\", one on each line"),
        ("name: !!str x", "config.yaml:1: name: a tag (!); write the value itself"),
        ("name: &n x\nnames: [*n]", "config.yaml:2: names: must be a list of DNS names (16 at most)"),
        (
            "wifi: ap", "config.yaml:1: wifi.mode: ap is not one of auto, none, wired"
        ),
        (
            "wifi: [auto]",
            "config.yaml:1: wifi: takes one of auto, none, wired, or keys indented below it: mode, interface, channel, security, name, stations, silence, rekey, subnet"
        ),
        (
            "country: UK",
            "config.yaml:1: country: UK is not the two letters of a country (ISO 3166), such as DE, GB or US"
        ),
        (
            "wifi: {channel: 14}",
            "config.yaml:1: wifi.channel: 14 is not auto or the number of a channel (1 to 13, 36 to 64, 100 to 144, 149 to 177)"
        ),
        (
            "wifi: {interface: a/b}",
            "config.yaml:1: wifi.interface: a/b is not auto or the name of a network interface such as wlan0"
        ),
        (
            "wifi: {name: A name that is far too long}",
            "config.yaml:1: wifi.name: \"A name that is far too long\" is not a name of 1 to 24 bytes without control characters"
        ),
        (
            "wifi: {subnet: 8.8.8.0/24}",
            "config.yaml:1: wifi.subnet: 8.8.8.0/24 is not auto or a private network such as 10.77.0.0/24"
        ),
        (
            "wifi: {subnet: 10.0.0.1/24}",
            "config.yaml:1: wifi.subnet: 10.0.0.1/24 is not auto or a private network such as 10.77.0.0/24"
        ),
        (
            "panel: {model: png, size: 100x100}",
            "config.yaml:1: panel.size: 100x100 is not auto or a width and a height in pixels, each 120 to 1024, such as 320x480"
        ),
        (
            "panel: {model: none, turn: 90}",
            "config.yaml:1: panel.turn: panel.turn is for a panel or a framebuffer, and panel.model is none"
        ),
        (
            "panel: {model: png, spi: /dev/spidev1.0}",
            "config.yaml:1: panel.spi: panel.spi is for a panel on that bus, and panel.model is png"
        ),
        (
            "panel: {model: framebuffer, clock: 8}",
            "config.yaml:1: panel.clock: panel.clock is for a panel on the SPI bus, and panel.model is framebuffer"
        ),
        (
            "panel: {model: terminal, path: /x}",
            "config.yaml:1: panel.path: panel.path is for png or framebuffer, and panel.model is terminal"
        ),
        (
            "panel: {model: st7789-240x240, accent: red}",
            "config.yaml:1: panel.accent: panel.accent is red, and st7789-240x240 has no third colour"
        ),
        (
            "panel: {model: framebuffer, accent: red}",
            "config.yaml:1: panel.accent: panel.accent is red, and framebuffer has no third colour"
        ),
        (
            "panel: {model: st7789-240x240, clock: 0}",
            "config.yaml:1: panel.clock: 0 is not auto or a number of megahertz (1 to 125)"
        ),
        (
            "panel: {model: st7789-240x240, spi: spidev0.0}",
            "config.yaml:1: panel.spi: spidev0.0 is not the path of a device such as /dev/spidev0.0"
        ),
        ("panel: {modle: none}", "config.yaml:1: panel.modle: no such key; did you mean panel.model?"),
        ("language: xx", "config.yaml:1: language: xx is not one of en, de, fr, es, he"),
        ("button: maybe", "config.yaml:1: button.enabled: maybe is not one of auto, true, false"),
        (
            "button: {shutdown: \" \"}",
            "config.yaml:1: button.shutdown: \" \" is not a program and its arguments, with spaces between"
        ),
    ])
    func mistakeInTheFile(yaml: String, message: String) {
        #expect(problems(yaml) == [message])
    }

    /// Which panel it is, nobody can guess: a wrong name tells all there are.
    @Test func aPanelThatIsNotKnownIsAnsweredWithThoseThatAre() throws {
        let message = try #require(problems("panel: ssd1306").first)
        #expect(
            message.hasPrefix("config.yaml:1: panel.model: ssd1306 is not one of terminal, none, png, framebuffer, "))
        for name in ["st7789-240x240", "ili9341-240x320", "ili9486-320x480", "ssd1680-250x122", "uc8176-400x300"] {
            #expect(message.contains(name), "\(name)")
            #expect(problems("panel: \(name)") == [])
            #expect(problems("panel:\n  model: \(name)\n  turn: 270\n  spi: /dev/spidev0.1\n  clock: 4\n") == [])
        }
        #expect(problems("panel: {model: ssd1680-250x122, accent: red}") == [])
        #expect(problems("panel: {turn: 90}") != [], "turning the terminal is no use")
        #expect(problems("button: false\nlanguage: he") == [])
    }

    @Test(arguments: [
        ("name: x\nhttp:\n\tport: 80", "config.yaml:3: a tab; indent with spaces"),
        (
            "name: Box: the best",
            "config.yaml:1: column 10: no \":\" may be here; check the indentation, or put the value in quotes"
        ),
        (
            "http:\n    port: 80\n  x: 1",
            "config.yaml:3: a key and a \":\" must be here; check the indentation of this line and the one before"
        ),
        ("name: @home", "config.yaml:1: column 7: a value that starts with this character must be in quotes"),
        ("name: x\n---\nname: y", "config.yaml:2: a second document; there may be one only"),
        ("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}", "config.yaml:1: nested too deep"),
    ])
    func notYAML(yaml: String, message: String) {
        #expect(problems(yaml).last == message)
    }

    @Test func whatStandsBeforeTheBrokenLineIsCheckedToo() {
        #expect(
            problems("nmae: x\nlog:\n  level: loud\nname: x\n\tport: 80\n") == [
                "config.yaml:1: nmae: no such key; did you mean name?",
                "config.yaml:3: log.level: loud is not one of trace, debug, info, notice, warning, error, critical",
                "config.yaml:5: a tab; indent with spaces",
            ])
    }

    @Test func textThatIsNotUTF8IsSaidWithItsLine() throws {
        struct OneFile: FileAccess {
            let bytes: [UInt8]
            func read(_ path: String, atMost limit: Int) throws(FileAccessError) -> [UInt8] { bytes }
            func check(_ path: String, is kind: FileKind) throws(FileAccessError) {}
        }
        // Latin-1 "é".
        let bytes = Array("http:\n  port: 80\nname: Caf".utf8) + [0xE9, 0x0A]
        let error = #expect(throws: ConfigurationProblems.self) {
            try ConfigurationLoader.load(
                file: "c", defaults: BoxConfiguration(for: .person), files: OneFile(bytes: bytes))
        }
        #expect(error?.description == "c:3: byte 10 of the line is not text in UTF-8")
    }

    @Test(arguments: [
        ("name", ["x", "Küche", String(repeating: "n", count: 32), "👩‍👩‍👧‍👦 Box"]),
        ("http.port", ["1", "80", "65535"]),
        ("addresses", ["192.168.0.1", "127.0.0.1", "169.254.1.1"]),
        ("names", ["a", "xn--bcher-kva.example", "a-b.c1", String(repeating: "a", count: 63)]),
        ("turn.ports", ["1024-3477", "3479-65535", "50000-50000"]),
        ("turn.lifetime", ["300", "86400"]),
        ("turn.enabled", ["true", "false"]),
        ("broker.path", ["/", "/a", "/a/b/", "/a-b_c.d~e"]),
        ("broker.key", ["k", "A-b_9"]),
        ("control.group", ["kibitz", "_a", "a-1"]),
        ("room.people", ["2", "32"]),
    ])
    func valuesThatAreTaken(key: String, values: [String]) {
        for value in values {
            #expect(problems(flags: ["\(key)=\(value)"]) == [], "\(value)")
        }
    }

    @Test(arguments: [
        (
            "name",
            [
                "", " ", String(repeating: "n", count: 33), "a\nb", "a\u{0}b", "a\u{2028}b",
                String(repeating: "👩‍👩‍👧‍👦", count: 6),
            ]
        ),
        (
            "http.port",
            ["", "0", "65536", "-1", "+80", "080", " 80", "80 ", "0x50", "8e1", "99999999999999999999", "٨٠"]
        ),
        (
            "addresses",
            ["1.2.3", "1.2.3.4.5", "01.2.3.4", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "localhost"]
        ),
        (
            "names",
            ["a..b", ".a", "a.", "-a", "a-", "a_b", "192.168.1.1", "bücher", "a b", String(repeating: "a", count: 64)]
        ),
        (
            "turn.ports",
            ["", "50000", "50001-50000", "1-65535", "1024-65536", "-", "50000-", "1024-2000-3000", "1024 - 2000"]
        ),
        ("turn.lifetime", ["299", "86401", "1h"]),
        ("turn.enabled", ["True", "TRUE", "yes", "on", "1", ""]),
        ("broker.path", ["", "a", "//", "/a//b", "/../etc", "/a%20", "/a b", "/é", "/?x"]),
        ("broker.key", ["", "a b", "a/b", String(repeating: "a", count: 65)]),
        ("control.group", ["", "1a", "-a", "Kibitz", "a:b", String(repeating: "a", count: 33)]),
        ("room.people", ["1", "33", "many"]),
        ("web.root", ["a\u{0}b", String(repeating: "a", count: 4096)]),
        ("link.scheme", ["", "HTTP", "ftp"]),
    ])
    func valuesThatAreRefused(key: String, values: [String]) {
        for value in values {
            let found = problems(flags: ["\(key)=\(value)"])
            #expect(found.count == 1, "\(value)")
            #expect(found.first?.hasPrefix("--set: \(key): ") == true, "\(value)")
            #expect(found.first?.contains("\n") == false, "\(value)")
        }
    }

    @Test func aLongListIsRefused() {
        let names = (1...17).map { "n\($0)" }.joined(separator: ",")
        #expect(problems(flags: ["names=\(names)"]) == ["--set: names: 17 are too many; it takes 16 at most"])
    }

    @Test func settingsThatDoNotGoTogetherAreReportedWhereTheLastOneWasSet() {
        #expect(
            problems("http:\n  port: 8443\n") == ["config.yaml:2: http.port: http.port and https.port are both 8443"])
        #expect(
            problems("http:\n  port: 9000\n", flags: ["https.port=9000"]) == [
                "--set: https.port: http.port and https.port are both 9000"
            ])
        #expect(
            problems("stun:\n  port: 50000\n") == [
                "config.yaml:2: stun.port: stun.port (50000) must not be one of turn.ports (49152-65535)"
            ])
        #expect(problems("stun:\n  port: 50000\nturn:\n  enabled: false\n") == [])
        #expect(
            problems("hub:\n  port: 3478\n") == ["config.yaml:2: hub.port: hub.port and stun.port are both 3478"])
        #expect(problems("hub:\n  port: 3478\n  enabled: false\n") == [])
        #expect(
            problems("hub:\n  port: 50000\n") == [
                "config.yaml:2: hub.port: hub.port (50000) must not be one of turn.ports (49152-65535)"
            ])
        #expect(
            problems("hub:\n  enabled: false\ndiscovery: true\n") == [
                "config.yaml:3: discovery: discovery needs the hub: hub.enabled is false"
            ])
        #expect(
            problems("hub:\n  enabled: false\ndirect: echo\n") == [
                "config.yaml:3: direct: direct needs the hub's port: hub.enabled is false"
            ])
        #expect(
            problems(environment: ["KIBITZ_BROKER_CLIENTS": "8"]) == [
                "KIBITZ_BROKER_CLIENTS: broker.clients: room.people (12) must not be more than broker.clients (8)"
            ])
    }

    @Test func aWrongValueIsNotBlamedTwice() {
        // The default that stands in for the wrong https.port would clash with http.port.
        #expect(
            problems("http:\n  port: 8443\nhttps:\n  port: none\n") == [
                "config.yaml:4: https.port: none is not a port (1 to 65535)"
            ])
    }

    @Test func certificateAndKeyComeTogetherAndMustBeReadable() {
        let files = MemoryFiles(contents: ["/c": ""], directories: ["/d"], unreadable: ["/k"])
        #expect(
            problems("certificate:\n  chain: /c\n", files: files) == [
                "config.yaml:2: certificate.chain: needs certificate.key as well"
            ])
        #expect(
            problems(environment: ["KIBITZ_CERTIFICATE_KEY": "/c"], files: files) == [
                "KIBITZ_CERTIFICATE_KEY: certificate.key: needs certificate.chain as well"
            ])
        #expect(
            problems("certificate:\n  chain: /d\n  key: /k\nweb:\n  root: /c\n", files: files) == [
                "config.yaml:2: certificate.chain: /d: is not a file",
                "config.yaml:3: certificate.key: /k: may not be read by this process",
                "config.yaml:5: web.root: /c: is not a directory",
            ])
        #expect(
            problems(flags: ["web.root=/none"]) == ["--set: web.root: /none: no such file or directory"])
        // Only the value in effect must exist; empty text takes a path back.
        #expect(problems("web:\n  root: /gone\n", flags: ["web.root="]) == [])
    }

    @Test func aFileThatCannotBeReadIsSaidInWords() {
        func problem(_ path: String, _ files: MemoryFiles) -> String? {
            do {
                _ = try ConfigurationLoader.load(file: path, defaults: BoxConfiguration(for: .person), files: files)
                return nil
            } catch {
                return error.description
            }
        }
        let large = String(repeating: "#", count: ConfigurationLoader.maximumFileSize + 1)
        let files = MemoryFiles(contents: ["/large": large], directories: ["/d"], unreadable: ["/u"])
        #expect(problem("/none", files) == "/none: no such file or directory")
        #expect(problem("/d", files) == "/d: is not a file")
        #expect(problem("/u", files) == "/u: may not be read by this process")
        #expect(problem("/large", files) == "/large: is larger than 65536 bytes")
    }
}

@Suite struct BadInputTests {
    @Test func everyTornPrefixOfAFileIsReadOrRefusedInOneLineEach() {
        let yaml = Array(
            ConfigurationLoader.sample(of: BoxConfiguration(for: .service)).utf8.filter { $0 != UInt8(ascii: "#") })
        for length in yaml.indices {
            for problem in problems(String(decoding: yaml[..<length], as: UTF8.self)) {
                #expect(problem.hasPrefix("config.yaml:"))
                #expect(!problem.contains("\n"))
            }
        }
    }

    @Test func randomBytesNeverDoMoreThanGiveProblems() {
        // xorshift: the same bytes in every run.
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        let alphabet = Array("abname:http port[]{},-#&*!|>'\"%@`\\\n\n  \t~é\u{0}".utf8)
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<40 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes.append(alphabet[Int(state % UInt64(alphabet.count))])
            }
            for problem in problems(String(decoding: bytes, as: UTF8.self)) {
                #expect(problem.hasPrefix("config.yaml:"))
                #expect(!problem.contains("\n"))
            }
        }
    }

    @Test func deepNestingIsRefusedBeforeItCosts() {
        #expect(problems(String(repeating: "[", count: 60_000)).last == "config.yaml:1: nested too deep")
        #expect(problems(String(repeating: "a: {", count: 15_000)).last == "config.yaml:1: nested too deep")
    }
}
