<?php

/*
 * A CalDAV server made with SabreDAV, for `php -S`: the account `ana` with the password `secret`, and one calendar. It
 * wants a digest (RFC 7616), and takes it for a mistake to be told a password. Everything is in SQLite, in the folder
 * that FOLDER names.
 */

require_once 'Sabre/autoload.php';

const REALM = 'SabreDAV';

/** Lets in who shows a digest, and the tests where they play the person's own program, which says so. */
class Digest extends \Sabre\DAV\Auth\Backend\PDO {

    function authenticate(\Sabre\DAV\Server $server, $realm) {

        if ($server->httpRequest->getHeader('Own-Program') === 'ana') {
            $this->currentUser = 'ana';
            return true;
        }
        if (stripos((string) $server->httpRequest->getHeader('Authorization'), 'Basic ') === 0) {
            throw new \Sabre\DAV\Exception\BadRequest('A password was told to whom a digest is enough.');
        }
        return parent::authenticate($server, $realm);

    }

}

function database($path) {

    $is_new = !file_exists($path);
    $pdo = new \PDO("sqlite:$path");
    $pdo->setAttribute(\PDO::ATTR_ERRMODE, \PDO::ERRMODE_EXCEPTION);
    if ($is_new) {
        $pdo->exec('
            CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, digesta1 TEXT);
            CREATE TABLE principals (id INTEGER PRIMARY KEY, uri TEXT, email TEXT, displayname TEXT, vcardurl TEXT);
            CREATE TABLE groupmembers (id INTEGER PRIMARY KEY, principal_id INTEGER, member_id INTEGER);
            CREATE TABLE calendars (id INTEGER PRIMARY KEY, principaluri TEXT, displayname TEXT, uri TEXT, ctag INTEGER,
                description TEXT, calendarorder INTEGER, calendarcolor TEXT, timezone TEXT, components TEXT,
                transparent INTEGER);
            CREATE TABLE calendarobjects (id INTEGER PRIMARY KEY, calendardata BLOB, uri TEXT, calendarid INTEGER,
                lastmodified INTEGER, etag TEXT, size INTEGER, componenttype TEXT, firstoccurence INTEGER,
                lastoccurence INTEGER);
        ');
        $pdo->prepare('INSERT INTO users (username, digesta1) VALUES (?, ?)')
            ->execute(['ana', md5('ana:' . REALM . ':secret')]);
        $pdo->exec("INSERT INTO principals (uri, displayname) VALUES ('principals/ana', 'Ana')");
        (new \Sabre\CalDAV\Backend\PDO($pdo))->createCalendar('principals/ana', 'work', [
            '{DAV:}displayname' => 'Work & more',
        ]);
    }
    return $pdo;

}

// This the web server in front of it does elsewhere.
if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) === '/.well-known/caldav') {
    header('Location: /', true, 301);
    return;
}

$pdo = database(getenv('FOLDER') . '/calendars.sqlite');
$principals = new \Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$server = new \Sabre\DAV\Server([
    new \Sabre\CalDAV\Principal\Collection($principals),
    new \Sabre\CalDAV\CalendarRootNode($principals, new \Sabre\CalDAV\Backend\PDO($pdo)),
]);
$server->setBaseUri('/');
$server->addPlugin(new \Sabre\DAV\Auth\Plugin(new Digest($pdo), REALM));
$server->addPlugin(new \Sabre\DAVACL\Plugin());
$server->addPlugin(new \Sabre\CalDAV\Plugin());
$server->exec();
