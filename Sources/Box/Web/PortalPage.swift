/// The path of the captive portal's API (RFC 8908), over HTTPS.
public let captivePortalAPIPath = "/api/captive-portal"

/// The page a phone shows when it finds no internet behind the Wi-Fi. It has no script, as the windows that show it often have
/// none, and loads nothing that those might not.
enum PortalPage {
    /// Where the page is.
    static let path = "/portal"
    /// Files of the room page that the page uses; they lie below its own path, as a site of the owner's may have others
    /// of their names.
    static let files = ["\(path)/styles.css": "styles.css", "\(path)/icon.svg": "icons/icon.svg"]
    /// The page loads its own files and sends its own form.
    static let contentSecurityPolicy =
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

    /// The page as HTML.
    ///
    /// It does not hand out the room. Phones pass the Wi-Fi's passphrase on, to their owner's other devices and to friends;
    /// the room is for who sees its code.
    /// - Parameters:
    ///   - name: the box's name.
    ///   - hasPassed: whether the device has tapped the button.
    static func html(name: String, hasPassed: Bool) -> String {
        let name = escaped(name)
        return """
            <!doctype html>
            <html lang="en" dir="ltr">
            <head>
              <meta charset="utf-8">
              <title>\(name)</title>
              <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
              <meta name="color-scheme" content="light dark">
              <meta name="referrer" content="no-referrer">
              <link rel="icon" href="\(path)/icon.svg" type="image/svg+xml">
              <link rel="stylesheet" href="\(path)/styles.css">
            </head>
            <body>
            <main class="portal">
              <img class="logo" src="\(path)/icon.svg" alt="" width="72" height="72">
            \(hasPassed ? done : welcome(name: name))
            </main>
            </body>
            </html>

            """
    }

    private static func welcome(name: String) -> String {
        """
          <h1>You are on the Wi-Fi of \(name)</h1>
          <p>It has no internet. It is for the video room on this box, where everyone nearby can see and hear each other.</p>
          <ol>
            <li>
              <p><b>Stay on this Wi-Fi.</b> Without this tap, your phone may leave it.</p>
              <form method="post" action="\(path)"><button class="primary" type="submit">Stay on this Wi-Fi</button></form>
            </li>
            <li>
              <p><b>Open the room.</b> Close this window. Then open your camera and scan the room’s code on the box: step 2, if it shows two codes. The room opens in your browser.</p>
            </li>
          </ol>
          <p class="hint">Without a camera: ask somebody in the room for its link. They find it under “Invite”.</p>
        """
    }

    private static let done = """
          <h1>Your phone stays on this Wi-Fi</h1>
          <p>Now open the room: close this window, open your camera and scan the room’s code on the box: step 2, if it shows two codes. The room opens in your browser.</p>
          <p class="hint">Does your phone say that this Wi-Fi has no internet? Choose to stay connected: the room needs none.</p>
          <p class="hint">Without a camera: ask somebody in the room for its link. They find it under “Invite”.</p>
        """

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
