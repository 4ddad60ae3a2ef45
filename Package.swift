// swift-tools-version: 6.2

import PackageDescription

// One language for every target: Swift 6 mode, the upcoming features that make imports and existentials
// explicit, and no warning left standing.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

// For what runs rarely, where size counts more than speed: the executable has a limit (scripts/cross-build).
let smallSettings = settings + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

let nio = "swift-nio"

/// A library target at `Sources/<wing>/<name>`; a Box shell's folder drops the `Box` of its name.
func library(
    _ name: String, in wing: String, _ dependencies: [Target.Dependency] = [],
    plugins: [Target.PluginUsage] = [], swiftSettings: [SwiftSetting] = settings
) -> Target {
    let folder = wing == "Box" && name != "Box" ? String(name.dropFirst(3)) : name
    return .target(
        name: name, dependencies: dependencies, path: "Sources/\(wing)/\(folder)",
        swiftSettings: swiftSettings, plugins: plugins)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: settings)
}

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "kibitz-local",
    products: [
        .executable(name: "kibitz-local", targets: ["kibitz-local"]),
        // What `scripts/fuzz` links with libFuzzer.
        .library(name: "kibitz-fuzz", type: .static, targets: ["FuzzEntry"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries of the system.
        .systemLibrary(
            name: "CYAML", path: "Sources/CLibraries/CYAML", pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CQREncode", path: "Sources/CLibraries/CQREncode", pkgConfig: "libqrencode",
            providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(
            name: "CFreeType", path: "Sources/CLibraries/CFreeType", pkgConfig: "freetype2",
            providers: [.apt(["libfreetype-dev"])]),
        .systemLibrary(
            name: "CFriBidi", path: "Sources/CLibraries/CFriBidi", pkgConfig: "fribidi",
            providers: [.apt(["libfribidi-dev"])]),
        .systemLibrary(
            name: "CGPIOD", path: "Sources/CLibraries/CGPIOD", pkgConfig: "libgpiod",
            providers: [.apt(["libgpiod-dev"])]),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/CLibraries/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CNetlink", path: "Sources/CLibraries/CNetlink", pkgConfig: "libnl-genl-3.0",
            providers: [.apt(["libnl-genl-3-dev"])]),
        .systemLibrary(name: "CLinux", path: "Sources/CLibraries/CLinux"),
        // Loads three of them when they are first used.
        .target(
            name: "CPanelLibraries", dependencies: ["CFreeType", "CFriBidi", "CQREncode"],
            path: "Sources/CLibraries/CPanelLibraries"),

        // Cores: bytes and time in, bytes and events out.
        library("SansIO", in: "Protocols"),
        library("Wire", in: "Protocols"),
        library("JSON", in: "Protocols"),
        library("WebSocket", in: "Protocols", ["Wire", crypto]),
        library("STUN", in: "Protocols", ["Wire", crypto]),
        library("TURN", in: "Protocols", ["SansIO", "Wire", "STUN", crypto]),
        library(
            "DTLS", in: "Protocols",
            ["SansIO", "Wire", "COpenSSL", crypto, .product(name: "SwiftASN1", package: "swift-asn1")]),
        library("SCTP", in: "Protocols", ["SansIO", "Wire"]),
        library("ICE", in: "Protocols", ["SansIO", "Wire", "STUN"]),
        library("DataChannel", in: "Protocols", ["Wire", "SCTP"]),
        library(
            "WebRTCDirect", in: "Protocols",
            ["SansIO", "Wire", "STUN", "ICE", "DTLS", "SCTP", "DataChannel"]),
        library("Credentials", in: "Rooms", [crypto], swiftSettings: smallSettings),
        library(
            "PeerBroker", in: "Rooms", ["SansIO", "Wire", "JSON", "Credentials"], swiftSettings: smallSettings),
        library("Hub", in: "Rooms", ["SansIO", "JSON", "Credentials"]),
        library("LANHub", in: "Rooms", ["SansIO", "Wire", "DataChannel", "WebRTCDirect", "Hub"]),
        library("IEEE80211", in: "Radio", ["Wire"], swiftSettings: smallSettings),
        library("Netlink", in: "Radio", ["Wire"], swiftSettings: smallSettings),
        library(
            "NL80211", in: "Radio", ["SansIO", "Wire", "IEEE80211", "Netlink"], swiftSettings: smallSettings),
        library("WiFiCrypto", in: "Radio", ["COpenSSL"], swiftSettings: smallSettings),
        library("SAE", in: "Radio", ["SansIO", "Wire", "IEEE80211", "WiFiCrypto"], swiftSettings: smallSettings),
        library(
            "Authenticator", in: "Radio", ["SansIO", "Wire", "IEEE80211", "WiFiCrypto"], swiftSettings: smallSettings),
        library(
            "Stations", in: "Radio", ["SansIO", "Wire", "IEEE80211", "WiFiCrypto", "SAE", "Authenticator"],
            swiftSettings: smallSettings),
        library(
            "AccessPoint", in: "Radio",
            ["SansIO", "Wire", "IEEE80211", "Netlink", "NL80211", "WiFiCrypto", "Authenticator", "Stations"],
            swiftSettings: smallSettings),
        library("QRCode", in: "Panel", ["CQREncode", "CPanelLibraries"], swiftSettings: smallSettings),
        library(
            "Raster", in: "Panel", ["QRCode", "CFreeType", "CFriBidi", "CPanelLibraries"], swiftSettings: smallSettings),
        library("Screens", in: "Panel", ["QRCode", "Raster"], swiftSettings: smallSettings),
        library("PanelDrivers", in: "Panel", ["SansIO", "Raster"], swiftSettings: smallSettings),
        library("Button", in: "Panel", ["SansIO"], swiftSettings: smallSettings),

        // The room page, embedded in the executable.
        .executableTarget(
            name: "embed-site", path: "Sources/Plugins/embed-site", swiftSettings: settings),
        .plugin(
            name: "EmbedSite", capability: .buildTool(), dependencies: ["embed-site"],
            path: "Sources/Plugins/EmbedSite"),
        .target(
            name: "WebClient", path: "Sources/WebClient", exclude: ["Site", "Screenshots"], swiftSettings: settings,
            plugins: ["EmbedSite"]),

        // Shells.
        library("BoxState", in: "Box", swiftSettings: smallSettings),
        library("BoxRoom", in: "Box", ["Credentials", "BoxState"], swiftSettings: smallSettings),
        library(
            "BoxNetwork", in: "Box",
            [
                "CLinux", "Wire", logging,
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
            ], swiftSettings: smallSettings),
        library(
            "BoxConfiguration", in: "Box",
            [
                "Wire", "Raster", "PanelDrivers", "CYAML",
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: smallSettings),
        library(
            "BoxCertificates", in: "Box",
            [
                "BoxState", "CLinux", "Wire", crypto, logging,
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: smallSettings),
        library(
            "BoxUDP", in: "Box",
            ["CLinux", "Wire", .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio)]),
        library(
            "BoxRadio", in: "Box",
            [
                "CLinux", "CNetlink", "SansIO", "Wire", "IEEE80211", "Netlink", "NL80211", "Stations", "AccessPoint",
                "BoxNetwork", logging,
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
            ], swiftSettings: smallSettings),
        library(
            "BoxPanel", in: "Box",
            [
                "CLinux", "CGPIOD", "SansIO", "QRCode", "Raster", "Screens", "PanelDrivers", "Button", "BoxNetwork",
                logging,
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
            ],
            swiftSettings: smallSettings),
        library(
            "BoxLAN", in: "Box",
            [
                "CLinux", "SansIO", "Wire", "Netlink", "BoxNetwork", "BoxState", logging,
                .product(name: "NIOCore", package: nio),
            ],
            swiftSettings: smallSettings),
        library(
            "BoxRelay", in: "Box",
            [
                "BoxUDP", "SansIO", "Wire", "STUN", "TURN", logging,
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
            ]),
        library(
            "BoxWeb", in: "Box",
            [
                "SansIO", "Wire", "JSON", "WebSocket", "Credentials", "PeerBroker", "WebClient", "BoxCertificates",
                "BoxRoom", "BoxState", logging,
                crypto,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOHTTP1", package: nio),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: smallSettings),
        library(
            "BoxHub", in: "Box",
            [
                "SansIO", "Wire", "ICE", "DTLS", "WebRTCDirect", "Hub", "LANHub", "Credentials", "BoxState", "BoxRoom",
                "BoxUDP", "BoxWeb", logging,
                .product(name: "NIOCore", package: nio),
            ]),
        .target(
            name: "Box",
            dependencies: [
                "SansIO", "Wire", "JSON", "Credentials", "PeerBroker", "QRCode", "TURN", "BoxState", "BoxConfiguration",
                "BoxCertificates", "BoxHub", "BoxLAN", "BoxNetwork", "BoxPanel", "BoxRadio", "BoxRelay", "BoxRoom",
                "BoxWeb", "CLinux", "Raster", "Screens", "Button",
                "DTLS", "SCTP", "DataChannel", "Hub", "WebRTCDirect", "IEEE80211", "Stations", "AccessPoint", logging,
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Box/Services", swiftSettings: smallSettings),
        .executableTarget(
            name: "kibitz-local",
            dependencies: [
                "Box", "BoxConfiguration", "CLinux", "QRCode", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Box/Command", swiftSettings: smallSettings),

        // The load of `scripts/bench`; nothing of the product.
        .executableTarget(
            name: "kibitz-load",
            dependencies: [
                "CLinux", "SansIO", "Wire", "DTLS", "ICE", "DataChannel", "WebRTCDirect", "WebRTCClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOHTTP1", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOWebSocket", package: nio),
            ],
            path: "Tests/Load", swiftSettings: settings),

        // Draws every screen, for `scripts/screens` and `scripts/test screens`.
        .executableTarget(
            name: "kibitz-screens", dependencies: ["QRCode", "Raster", "Screens"], path: "Tests/Screens",
            exclude: ["read_codes.py"], swiftSettings: settings),

        .target(
            name: "TestSupport", path: "Tests/Support",
            exclude: ["KernelPolicy", "PanelSimulator", "SAEClient", "Simulation", "WebRTCClient", "WiFiSupplicant"],
            swiftSettings: settings),
        // Panels with their frame memories and their datasheets' rules: what drivers send becomes a picture.
        .target(
            name: "PanelSimulator", dependencies: ["SansIO", "Raster", "PanelDrivers"],
            path: "Tests/Support/PanelSimulator", swiftSettings: settings),
        // A simulated panel behind the rig's real wires (Tests/Panel).
        .executableTarget(
            name: "kibitz-panel-decode", dependencies: ["SansIO", "Raster", "PanelDrivers", "PanelSimulator"],
            path: "Tests/PanelDecode", swiftSettings: settings),
        // What Linux has against a message of nl80211.
        .target(
            name: "KernelPolicy", dependencies: ["Netlink", "Wire"], path: "Tests/Support/KernelPolicy",
            swiftSettings: settings),
        // The station's side of SAE.
        .target(
            name: "SAEClient", dependencies: ["Wire", "IEEE80211", "WiFiCrypto", "SAE"],
            path: "Tests/Support/SAEClient", swiftSettings: settings),
        // The other end of a WebRTCEndpoint, for tests and for the load of `scripts/bench`.
        .target(
            name: "WebRTCClient",
            dependencies: ["SansIO", "Wire", "STUN", "ICE", "DTLS", "SCTP", "DataChannel", "WebRTCDirect"],
            path: "Tests/Support/WebRTCClient", swiftSettings: settings),
        // The other end of a PairwiseAuthenticator.
        .target(
            name: "WiFiSupplicant", dependencies: ["Wire", "Authenticator", "WiFiCrypto"],
            path: "Tests/Support/WiFiSupplicant", swiftSettings: settings),
        // A box and its phones in virtual time, for tests and for `scripts/test simulation`.
        .target(
            name: "Simulation",
            dependencies: [
                "SansIO", "Wire", "ICE", "DTLS", "SCTP", "DataChannel", "WebRTCDirect", "Credentials", "Hub", "LANHub",
                "WebRTCClient", "TestSupport",
            ],
            path: "Tests/Support/Simulation", swiftSettings: settings),
        .executableTarget(
            name: "kibitz-simulate", dependencies: ["Simulation"], path: "Tests/Simulate", swiftSettings: settings),
        // What `scripts/fuzz` feeds, and the tests replay.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "SansIO", "Wire", "JSON", "WebSocket", "STUN", "TURN", "ICE", "DTLS", "SCTP", "DataChannel",
                "WebRTCDirect", "WebRTCClient", "Credentials", "PeerBroker", "Hub", "LANHub", "BoxConfiguration",
                "IEEE80211", "Netlink",
                "NL80211", "WiFiCrypto", "SAE", "SAEClient", "Authenticator", "WiFiSupplicant", "Stations",
                "AccessPoint", "TestSupport",
            ],
            path: "Tests/Fuzz", exclude: ["Corpus"], swiftSettings: settings),
        .target(name: "FuzzEntry", dependencies: ["FuzzTargets"], path: "Tests/FuzzEntry", swiftSettings: settings),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: settings),

        tests(of: "SansIO"),
        tests(of: "Wire"),
        tests(of: "JSON"),
        tests(of: "WebSocket"),
        tests(of: "STUN", ["Wire"]),
        tests(of: "TURN", ["SansIO", "Wire", "STUN"]),
        tests(of: "DTLS", ["SansIO", "Wire", "COpenSSL"]),
        tests(of: "SCTP", ["SansIO", "Wire"]),
        tests(of: "ICE", ["SansIO", "Wire", "STUN"]),
        tests(of: "DataChannel", ["SCTP"]),
        tests(
            of: "WebRTCDirect",
            ["SansIO", "Wire", "STUN", "ICE", "DTLS", "SCTP", "DataChannel", "WebRTCClient", "Simulation"]),
        tests(of: "Credentials"),
        tests(of: "PeerBroker", ["SansIO", "Wire", "JSON", "Credentials"]),
        tests(of: "Hub", ["SansIO", "Credentials"]),
        tests(
            of: "LANHub",
            [
                "SansIO", "Wire", "ICE", "DTLS", "SCTP", "DataChannel", "WebRTCDirect", "Credentials", "Hub",
                "WebRTCClient", "Simulation",
            ]),
        tests(of: "IEEE80211", ["Wire"]),
        tests(of: "Netlink", ["Wire"]),
        tests(of: "NL80211", ["SansIO", "Wire", "IEEE80211", "Netlink", "KernelPolicy"]),
        tests(of: "WiFiCrypto"),
        tests(of: "SAE", ["SansIO", "Wire", "IEEE80211", "WiFiCrypto", "SAEClient"]),
        tests(of: "Authenticator", ["SansIO", "Wire", "IEEE80211", "WiFiCrypto", "WiFiSupplicant"]),
        tests(
            of: "Stations",
            ["SansIO", "Wire", "IEEE80211", "WiFiCrypto", "SAE", "Authenticator", "SAEClient", "WiFiSupplicant"]),
        tests(
            of: "AccessPoint",
            [
                "SansIO", "Wire", "IEEE80211", "Netlink", "NL80211", "Stations", "KernelPolicy", "WiFiCrypto",
                "WiFiSupplicant",
            ]),
        tests(of: "QRCode"),
        tests(of: "Raster", ["QRCode"]),
        tests(of: "Screens", ["QRCode", "Raster"]),
        tests(of: "PanelDrivers", ["SansIO", "Raster", "PanelSimulator"]),
        tests(of: "Button", ["SansIO"]),
        tests(
            of: "BoxPanel",
            [
                "CLinux", "SansIO", "QRCode", "Raster", "Screens", "PanelDrivers", "PanelSimulator", "Button",
                .product(name: "NIOCore", package: nio), .product(name: "NIOEmbedded", package: nio),
            ]),
        tests(of: "BoxState"),
        tests(of: "BoxRoom", ["BoxState", "Credentials"]),
        tests(
            of: "BoxNetwork",
            ["Wire", logging, .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio)]),
        tests(of: "BoxConfiguration"),
        tests(
            of: "BoxCertificates",
            [
                "BoxState", "Wire", crypto, logging,
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
            ]),
        tests(
            of: "BoxWeb",
            [
                "BoxCertificates", "BoxRoom", "BoxState", "Credentials", "PeerBroker", "Wire", logging,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "NIOEmbedded", package: nio),
            ]),
        tests(of: "BoxUDP", ["Wire"]),
        tests(
            of: "BoxRadio",
            [
                "Wire", "Netlink", "NL80211", "AccessPoint",
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
            ]),
        tests(of: "BoxLAN", ["Wire", "BoxNetwork", "BoxState"]),
        tests(of: "BoxHub", ["Wire", "DTLS", "BoxState", logging]),
        tests(
            of: "Box",
            [
                "Wire", "AccessPoint", "BoxConfiguration", "BoxHub", "BoxNetwork", "BoxPanel", "BoxRoom", "BoxState",
                "Button",
                "Credentials", "DataChannel", "SCTP", "Screens",
                logging,
            ]),
    ],
    swiftLanguageModes: [.v6]
)
