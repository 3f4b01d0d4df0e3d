//! Organizations and who may do what in them. Whoever creates an organization becomes its owner, invites others by mail
//! into roles, makes roles of its own and API tokens for programs. A role is a set of permissions; a member has one
//! role, an API token some of its maker's permissions and never more than the maker still holds. Nobody hands out,
//! changes or takes away more than they hold themselves, only owners make or remove owners, and the last owner
//! stays. All of that is judged by SQL functions under one lock per organization (`sql/functions/membership.sql`),
//! on what the database says then, not on what the request's token said some seconds ago.

mod accept_invitation;
mod answer;
mod change_member_role;
mod create_api_token;
mod create_organization;
mod create_role;
mod delete_role;
mod invite_member;
mod leave_organization;
mod permission_codes;
mod remove_member;
mod revoke_api_token;
mod revoke_invitation;
mod update_role;

use crate::verbs::Verbs;

/// The mutations of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .add::<create_organization::CreateOrganization>()
        .add::<invite_member::InviteMember>()
        .add::<accept_invitation::AcceptInvitation>()
        .add::<revoke_invitation::RevokeInvitation>()
        .add::<change_member_role::ChangeMemberRole>()
        .add::<remove_member::RemoveMember>()
        .add::<leave_organization::LeaveOrganization>()
        .add::<create_api_token::CreateApiToken>()
        .add::<revoke_api_token::RevokeApiToken>()
        .add::<create_role::CreateRole>()
        .add::<update_role::UpdateRole>()
        .add::<delete_role::DeleteRole>();
}
