import HTTPTypes

/// How a system finds out whether a Wi-Fi leads to the internet: it asks for a page of its maker's, whose content it knows.
/// Anything else than that content means that there is a portal.
enum CaptiveProbe: Equatable, Sendable {
    /// iOS, iPadOS, macOS.
    case apple
    /// Android and ChromeOS, whichever maker's host they ask.
    case android
    /// Windows 10 and later.
    case windows
    /// Windows up to 8.1.
    case formerWindows
    /// Firefox, before it takes itself for online.
    case firefoxPage
    /// Firefox, for IPv4 and IPv6 each.
    case firefoxText
    /// NetworkManager, on Linux desktops.
    case networkManager
    /// NetworkManager as Ubuntu sets it up.
    case ubuntu
    /// NetworkManager as Fedora sets it up.
    case fedora

    /// What asks for `path` at `host`; nil when it is no probe.
    /// - Parameters:
    ///   - host: the name in the request, in lower case and without a port.
    ///   - path: the path, without a query.
    init?(host: String, path: String) {
        switch path {
        case "/hotspot-detect.html", "/library/test/success.html": self = .apple
        case "/generate_204", "/gen_204": self = .android
        case "/connecttest.txt": self = .windows
        case "/ncsi.txt": self = .formerWindows
        case "/canonical.html": self = .firefoxPage
        case "/success.txt": self = .firefoxText
        case "/check_network_status.txt", "/nm", "/nm-check.txt": self = .networkManager
        case "/static/hotspot.txt": self = .fedora
        // People type this name to see the portal again.
        case _ where host == "captive.apple.com": self = .apple
        case _ where host == "connectivity-check.ubuntu.com": self = .ubuntu
        case _ where host == "conncheck.opensuse.org": self = .networkManager
        default: return nil
        }
    }

    /// What the probe gets where there is internet, octet for octet.
    var success: (status: HTTPResponse.Status, type: String?, body: String) {
        switch self {
        case .apple:
            (.ok, "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>")
        case .android, .ubuntu: (.noContent, nil, "")
        case .fedora: (.ok, "text/plain", "OK")
        case .windows: (.ok, "text/plain", "Microsoft Connect Test")
        case .formerWindows: (.ok, "text/plain", "Microsoft NCSI")
        case .firefoxPage:
            (
                .ok, "text/html",
                #"<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>"#
            )
        case .firefoxText: (.ok, "text/plain", "success\n")
        case .networkManager: (.ok, "text/plain", "NetworkManager is online\n")
        }
    }
    /// The fields that go with ``success``. An answer without a body tells NetworkManager nothing, unless this one does.
    var fields: HTTPFields {
        switch self {
        case .ubuntu: [HTTPField.Name("X-NetworkManager-Status")!: "online"]
        case .apple, .android, .windows, .formerWindows, .firefoxPage, .firefoxText, .networkManager, .fedora: [:]
        }
    }
}
